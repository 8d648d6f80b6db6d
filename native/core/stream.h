// SPDX-License-Identifier: MIT
// When results are written past the caches.
#pragma once
#include <cstdint>

namespace convlane {

// Results of ops that move more than this (24 MiB: a last cache of 32, shared with what runs beside) go past the caches: little of them would be there for the
// next step, and a line that is written whole need not be read first. Less stays: in a cache stores past it take twice the time.
constexpr int64_t kStreamedFloats = int64_t{6} << 20;
inline bool goes_past_caches(int64_t floats, int64_t channels, const void* result) {
  return floats > kStreamedFloats && channels % 16 == 0 && reinterpret_cast<uintptr_t>(result) % 64 == 0;
}

}  // namespace convlane
