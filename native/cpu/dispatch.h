// SPDX-License-Identifier: MIT
// Which kernel table runs: the best one that this binary has and this machine can run, or the one that CONVLANE_ISA names.
#pragma once
#include <vector>

#include "kernel_table.h"

namespace convlane {

// Names of the instruction sets that this binary has and this machine can run, best first. Never empty: "scalar" runs everywhere.
std::vector<const char*> available();

// kernels(), declared in kernel_table.h, is chosen at its first call and never changes. Throws Error("UNSUPPORTED") when CONVLANE_ISA names
// something unknown, something that this machine lacks, or something made for another architecture.

}  // namespace convlane
