// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "../core/memory.h"
#include "prelude.h"

namespace convlane {

// Readers share. A writer first holds the intent, which keeps other writers out and lets readers in, and then upgrades:
// no new reader enters, and when those inside have left it is alone. So what a training step read in its forward phase
// is still there when it updates, and readers see whole updates. Writers are served in order of arrival; readers that came during an update are inside as
// soon as it ends, before another one can begin, so that none waits for two.
class StateLock {
 public:
  void lock_shared();
  void unlock_shared();
  void lock_intent();
  void unlock_intent();
  void upgrade();
  void downgrade();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ticket_ = 0;
  uint64_t serving_ = 0;
  uint64_t updates_ = 0;  // that have ended
  int64_t readers_ = 0;
  int64_t waiting_ = 0;     // readers that an update keeps out
  bool exclusive_ = false;  // wanted or held
};

// Weights, optimizer slots and statistics: zero at creation. Handles of several JavaScript environments may own it together, each of which counts its bytes
// in the tally of its own.
struct StateMemory {
  explicit StateMemory(int64_t elements) : elements(elements), buffer(static_cast<size_t>(elements) * sizeof(float), MemoryKind::state) {}
  ~StateMemory();
  StateMemory(const StateMemory&) = delete;
  void read(int64_t offset, int64_t length, float* out);
  void write(int64_t offset, int64_t length, const float* values);

  const int64_t elements;
  Buffer buffer;
  StateLock lock;
  // Another one after each stretch of time in which someone was alone with the state; stays while anyone reads.
  std::atomic<uint64_t> version{1};
  Preludes preludes;
  std::string id;  // of shared_states.h; empty as long as nobody has asked for it
};

// Holds the state for a program's run: shared when no step writes it, else the intent.
class StateAccess {
 public:
  StateAccess(StateMemory* state, bool writes);  // state may be null
  ~StateAccess();
  StateAccess(const StateAccess&) = delete;
  void begin_update();  // alone from here on

 private:
  StateMemory* state_;
  bool writes_;
  bool updating_ = false;
};

}  // namespace convlane
