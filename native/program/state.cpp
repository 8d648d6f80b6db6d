// SPDX-License-Identifier: MIT
#include "state.h"

#include <algorithm>
#include <utility>

#include "shared_states.h"

namespace convlane {

void StateLock::lock_shared() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!exclusive_) {
    readers_++;
    return;
  }
  waiting_++;
  const uint64_t update = updates_;
  changed_.wait(lock, [&] { return updates_ != update; });  // whose end lets this one in
}

void StateLock::unlock_shared() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--readers_ == 0) changed_.notify_all();
}

void StateLock::lock_intent() {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t ticket = next_ticket_++;
  changed_.wait(lock, [&] { return serving_ == ticket; });
}

void StateLock::unlock_intent() {
  std::lock_guard<std::mutex> lock(mutex_);
  serving_++;
  changed_.notify_all();
}

void StateLock::upgrade() {
  std::unique_lock<std::mutex> lock(mutex_);
  exclusive_ = true;
  changed_.wait(lock, [&] { return readers_ == 0; });
}

void StateLock::downgrade() {
  std::lock_guard<std::mutex> lock(mutex_);
  exclusive_ = false;
  updates_++;
  readers_ += std::exchange(waiting_, 0);
  changed_.notify_all();
}

StateMemory::~StateMemory() { forget_shared(*this); }

void StateMemory::read(int64_t offset, int64_t length, float* out) {
  lock.lock_shared();
  std::copy_n(buffer.floats() + offset, length, out);
  lock.unlock_shared();
}

void StateMemory::write(int64_t offset, int64_t length, const float* values) {
  StateAccess access(this, true);
  access.begin_update();
  std::copy_n(values, length, buffer.floats() + offset);
}

StateAccess::StateAccess(StateMemory* state, bool writes) : state_(state), writes_(writes) {
  if (state_ == nullptr) return;
  if (writes_) {
    state_->lock.lock_intent();
  } else {
    state_->lock.lock_shared();
  }
}

void StateAccess::begin_update() {
  if (state_ == nullptr || updating_) return;
  state_->lock.upgrade();
  state_->version.fetch_add(1, std::memory_order_relaxed);  // the lock orders it
  updating_ = true;
}

StateAccess::~StateAccess() {
  if (state_ == nullptr) return;
  if (updating_) state_->lock.downgrade();
  if (writes_) {
    state_->lock.unlock_intent();
  } else {
    state_->lock.unlock_shared();
  }
}

}  // namespace convlane
