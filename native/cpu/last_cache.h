// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace convlane {

// MB of the last level of cache: what CONVLANE_LAST_CACHE says, else what the processor does, else 32. Results don't depend on it, only which of them are
// written past the caches. Throws Error("INVALID_ARGUMENT") when that is no integer from 1 to 1048576.
int64_t last_cache();

}  // namespace convlane
