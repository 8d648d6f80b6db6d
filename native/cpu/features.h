// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

namespace convlane {

// Names of what the CPU has and the operating system lets programs use, as Linux spells them in /proc/cpuinfo: "avx512f", "fma", "asimd", "sve", …
const std::vector<std::string>& cpu_features();
bool cpu_has(const char* feature);

}  // namespace convlane
