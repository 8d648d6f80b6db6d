// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace convlane {

// Names of what the CPU has and the operating system lets programs use, as Linux spells them in /proc/cpuinfo: "avx512f", "fma", "asimd", "sve", …
const std::vector<std::string>& cpu_features();
bool cpu_has(const char* feature);
// Whether two multiply-adds of 512 bits start in a cycle, as on Intel's servers and AMD's since Zen 5 (family 1Ah); on Zen 4 one does. No bit of cpuid tells.
bool cpu_multiplies_twice();
// Bytes of the largest cache that cpuid describes; 0 where none is, and on other architectures.
int64_t cpu_last_cache();

}  // namespace convlane
