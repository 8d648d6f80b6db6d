// SPDX-License-Identifier: MIT
// The border: nothing that native code throws crosses it but as a JavaScript error with a code.
#pragma once
#include <napi.h>

#include <new>

#include "../core/error.h"

namespace convlane {

// Throws what went wrong in a call of Node-API.
inline void check(napi_env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

using Body = Napi::Value (*)(const Napi::CallbackInfo& info);

template <Body body>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return body(Napi::CallbackInfo(env, info));
  } catch (const Napi::Error& e) {
    e.ThrowAsJavaScriptException();
  } catch (const Error& e) {
    napi_throw_error(env, e.code, e.what());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, "OUT_OF_MEMORY", "out of memory");
  } catch (const std::exception& e) {
    napi_throw_error(env, "INTERNAL", e.what());
  }
  return nullptr;
}

template <Body body>
void add_function(Napi::Object& exports, const char* name) {
  napi_value function;
  check(exports.Env(), napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, guarded<body>, nullptr, &function));
  exports.Set(name, function);
}

}  // namespace convlane
