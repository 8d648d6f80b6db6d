// SPDX-License-Identifier: MIT
// A thread that runs jobs in order of submission.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "../core/memory.h"

namespace convlane {

class Job {
 public:
  virtual ~Job() = default;
  // On the lane's thread. Does not throw. When `cancelled` turns true the job ends at the next point where it leaves everything whole.
  virtual void run(const std::atomic<bool>& cancelled) = 0;
};

class Lane {
 public:
  using Done = std::function<void(std::unique_ptr<Job>)>;  // called on the lane's thread

  explicit Lane(Done done) : done_(std::move(done)) {}
  ~Lane() { stop(); }
  void start();  // once more is allowed; throws Error("OUT_OF_MEMORY") when there can be no thread
  void submit(std::unique_ptr<Job> job);
  // Cancels the running job, waits for its end, drops the rest.
  void stop();

 private:
  void work();

  Done done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::atomic<bool> cancelled_{false};
  std::thread thread_;
};

// The memory that a lane's programs compute in, as large as the largest of them needs. One job at a time uses it.
class Arena {
 public:
  explicit Arena(MemoryTally tally) : tally_(std::move(tally)) {}
  void attach(size_t bytes);  // throws Error("OUT_OF_MEMORY") and changes nothing
  void detach();              // the last one frees it
  std::shared_ptr<Buffer> memory();

 private:
  std::mutex mutex_;
  MemoryTally tally_;
  std::shared_ptr<Buffer> buffer_;
  int64_t programs_ = 0;
};

}  // namespace convlane
