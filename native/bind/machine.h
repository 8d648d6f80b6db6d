// SPDX-License-Identifier: MIT
// The functions of the binding that are about the machine: instruction sets, threads, memory, probes.
#pragma once
#include <napi.h>

namespace convlane {

void add_machine(Napi::Object& exports);

}  // namespace convlane
