// SPDX-License-Identifier: MIT
// The list of exports: binding.d.ts, Binding.
#include <napi.h>

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#elif defined(__APPLE__)
#include <dlfcn.h>
#endif

#include "bind/environment.h"
#include "bind/execute.h"
#include "bind/guard.h"
#include "bind/machine.h"
#include "bind/objects.h"
#include "core/threads.h"
#include "cpu/kernel_table.h"
#include "cpu/last_cache.h"

namespace convlane {
namespace {

// Node unloads what a worker thread alone has loaded when that ends: under the threads of the pool, which stay. On Linux a flag of the linker forbids it.
void stay_loaded() {
#if defined(_WIN32)
  HMODULE self;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, reinterpret_cast<LPCSTR>(&stay_loaded), &self);
#elif defined(__APPLE__)
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&stay_loaded), &self) != 0) dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

Napi::Value fill_exports(const Napi::CallbackInfo& info) {
  stay_loaded();
  kernels();          // chosen now, so that an impossible CONVLANE_ISA is an error of loading,
  default_threads();  // and an impossible CONVLANE_THREADS
  last_cache();       // or CONVLANE_LAST_CACHE, too
  Environment::create(info.Env());
  define_state(info.Env());
  define_program(info.Env());
  Napi::Object exports = info[0].As<Napi::Object>();
  exports.Set("version", CONVLANE_VERSION);
  add_machine(exports);
  add_function<create_state>(exports, "createState");
  add_function<adopt_state>(exports, "adoptState");
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
