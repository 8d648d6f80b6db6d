// SPDX-License-Identifier: MIT
#pragma once
#include <napi.h>

namespace convlane {

Napi::Value execute(const Napi::CallbackInfo& info);
Napi::Value algorithms(const Napi::CallbackInfo& info);

}  // namespace convlane
