// SPDX-License-Identifier: MIT
// A thread that runs jobs in order of submission.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "../core/memory.h"

namespace convlane {

class Job {
 public:
  virtual ~Job() = default;
  // On the lane's thread. Does not throw. When `cancelled` turns true the job ends at the next point where it leaves everything whole.
  virtual void run(const std::atomic<bool>& cancelled) = 0;

 private:
  friend class JobQueue;
  std::unique_ptr<Job> behind_;
};

// First in, first out. Takes no memory: the threads of lanes have nobody to tell that there is none.
class JobQueue {
 public:
  JobQueue() = default;
  JobQueue(const JobQueue&) = delete;
  ~JobQueue() {
    while (!empty()) pop();
  }
  bool empty() const { return first_ == nullptr; }
  void push(std::unique_ptr<Job> job) noexcept {
    Job* const added = job.get();
    (last_ == nullptr ? first_ : last_->behind_) = std::move(job);
    last_ = added;
  }
  std::unique_ptr<Job> pop() noexcept {
    std::unique_ptr<Job> job = std::move(first_);
    first_ = std::move(job->behind_);
    if (first_ == nullptr) last_ = nullptr;
    return job;
  }
  void swap(JobQueue& other) noexcept {
    first_.swap(other.first_);
    std::swap(last_, other.last_);
  }

 private:
  std::unique_ptr<Job> first_;
  Job* last_ = nullptr;
};

class Lane {
 public:
  using Done = std::function<void(std::unique_ptr<Job>)>;  // called on the lane's thread

  // A lane that has run out of jobs looks for the next one for so long before it falls asleep, and lets others run meanwhile: an idle core takes 20 to 50 us to wake.
  explicit Lane(Done done, std::chrono::microseconds patience = {}) : done_(std::move(done)), patience_(patience) {}
  ~Lane() { stop(); }
  void start();  // once more is allowed; throws Error("OUT_OF_MEMORY") when there can be no thread
  void submit(std::unique_ptr<Job> job);
  // Cancels the running job, waits for its end, drops the rest.
  void stop();

 private:
  void work();

  Done done_;
  std::chrono::microseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  JobQueue queue_;
  std::atomic<int64_t> waiting_{0};  // jobs in the queue
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
