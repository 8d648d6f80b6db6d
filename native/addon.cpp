// SPDX-License-Identifier: MIT
// The list of exports: binding.d.ts, Binding.
#include <napi.h>

#include "bind/environment.h"
#include "bind/execute.h"
#include "bind/guard.h"
#include "bind/machine.h"
#include "bind/objects.h"
#include "core/threads.h"
#include "cpu/kernel_table.h"

namespace convlane {
namespace {

Napi::Value fill_exports(const Napi::CallbackInfo& info) {
  kernels();          // chosen now, so that an impossible CONVLANE_ISA is an error of loading,
  default_threads();  // and an impossible CONVLANE_THREADS, too
  Environment::create(info.Env());
  define_state(info.Env());
  define_program(info.Env());
  Napi::Object exports = info[0].As<Napi::Object>();
  exports.Set("version", CONVLANE_VERSION);
  add_machine(exports);
  add_function<create_state>(exports, "createState");
  add_function<create_program>(exports, "createProgram");
  add_function<execute>(exports, "execute");
  add_function<algorithms>(exports, "algorithms");
  return exports;
}

}  // namespace
}  // namespace convlane

NAPI_MODULE_INIT() {
  napi_value fill, result;
  if (napi_create_function(env, nullptr, 0, convlane::guarded<convlane::fill_exports>, nullptr, &fill) != napi_ok) return nullptr;
  if (napi_call_function(env, exports, fill, 1, &exports, &result) != napi_ok) return nullptr;
  return result;
}
