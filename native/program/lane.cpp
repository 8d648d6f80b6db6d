// SPDX-License-Identifier: MIT
#include "lane.h"

#include <system_error>

#include "../core/error.h"
#include "../core/threads.h"

namespace convlane {

void Lane::start() {
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error& e) {
    throw Error("OUT_OF_MEMORY", std::string("cannot start a thread: ") + e.what());
  }
}

void Lane::submit(std::unique_ptr<Job> job) {
  std::lock_guard<std::mutex> lock(mutex_);
  queue_.push(std::move(job));
  waiting_.fetch_add(1);
  changed_.notify_one();
}

void Lane::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    cancelled_.store(true);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  while (!queue_.empty()) queue_.pop();
}

void Lane::work() {
  FlushDenormals flush;
  for (;;) {
    std::unique_ptr<Job> job;
    const auto end = std::chrono::steady_clock::now() + patience_;
    while (waiting_.load() == 0 && !cancelled_.load() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return cancelled_.load() || !queue_.empty(); });
      if (cancelled_.load()) return;
      job = queue_.pop();
      waiting_.fetch_sub(1);
    }
    job->run(cancelled_);
    done_(std::move(job));
  }
}

void Arena::attach(size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  // A running job keeps the smaller one until it ends.
  if (!buffer_ || buffer_->size() < bytes) buffer_ = std::make_shared<Buffer>(bytes, MemoryKind::arena, tally_);
  programs_++;
}

void Arena::detach() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--programs_ == 0) buffer_.reset();
}

std::shared_ptr<Buffer> Arena::memory() {
  std::lock_guard<std::mutex> lock(mutex_);
  return buffer_;
}

}  // namespace convlane
