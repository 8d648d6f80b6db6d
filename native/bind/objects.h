// SPDX-License-Identifier: MIT
// The State and Program classes, and the functions of the binding that are about them.
#pragma once
#include <napi.h>

#include <memory>

#include "../program/state.h"
#include "environment.h"

namespace convlane {

// The native half of a State. `memory` is null after dispose; jobs that are under way hold it too.
class StateObject : public Wrapped {
 public:
  // Programs go on referring to it when the JavaScript object is gone.
  struct Handle {
    std::shared_ptr<StateMemory> memory;
  };
  using Wrapped::Wrapped;
  std::shared_ptr<Handle> handle = std::make_shared<Handle>();
  int64_t elements = 0;
};

// Throws when it is no State or is disposed.
StateObject& state_of(Napi::Value value, const char* what);

void define_state(Napi::Env env);
void define_program(Napi::Env env);
Napi::Value create_state(const Napi::CallbackInfo& info);
Napi::Value create_program(const Napi::CallbackInfo& info);

}  // namespace convlane
