// SPDX-License-Identifier: MIT
// The State and Program classes, and the functions of the binding that are about them.
#pragma once
#include <napi.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "../program/state.h"
#include "environment.h"

namespace convlane {

// One environment's share in a state. Programs go on referring to it when the JavaScript object is gone.
class StateHandle {
 public:
  StateHandle(std::shared_ptr<StateMemory> memory, MemoryTally tally) : memory_(std::move(memory)), tally_(std::move(tally)) { count(1); }
  ~StateHandle() { release(); }
  StateHandle(const StateHandle&) = delete;

  // Null after release; jobs that are under way hold it too.
  const std::shared_ptr<StateMemory>& memory() const { return memory_; }
  void release() {
    if (memory_) count(-1);
    memory_.reset();
  }

 private:
  void count(int64_t sign) { tally_->fetch_add(sign * static_cast<int64_t>(memory_->buffer.size()), std::memory_order_relaxed); }

  std::shared_ptr<StateMemory> memory_;
  const MemoryTally tally_;
};

// The native half of a State.
class StateObject : public Wrapped {
 public:
  StateObject(std::shared_ptr<Environment> of, std::shared_ptr<StateMemory> memory)
      : Wrapped(std::move(of)), elements(memory->elements), handle(std::make_shared<StateHandle>(std::move(memory), environment->tally())) {}
  const int64_t elements;
  const std::shared_ptr<StateHandle> handle;
};

// Throws when it is no State or is disposed.
StateObject& state_of(Napi::Value value, const char* what);

void define_state(Napi::Env env);
void define_program(Napi::Env env);
Napi::Value create_state(const Napi::CallbackInfo& info);
Napi::Value adopt_state(const Napi::CallbackInfo& info);
Napi::Value create_program(const Napi::CallbackInfo& info);

}  // namespace convlane
