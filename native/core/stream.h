// SPDX-License-Identifier: MIT
// When results are written past the caches.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../cpu/last_cache.h"

namespace convlane {

// What is about as much for this machine's last cache as `floats` are for one of 32 MB. A larger one is shared by more: at most eight times as much. With 480 MB
// (Xeon) depthwise convolutions of 26 MB took 8 % less time through the caches than past them, pooling of 32 MB 3 to 15 %.
inline int64_t of_last_cache(int64_t floats) {
  static const int64_t times = std::clamp<int64_t>(last_cache() / 32, 1, 8);
  return floats * times;
}

// Results of ops that move more than this (24 MiB with a last cache of 32, shared with what runs beside) go past the caches: little of them would be there for
// the next step, and a line that is written whole need not be read first. Less stays: in a cache stores past it take twice the time.
constexpr int64_t kStreamedFloats = int64_t{6} << 20;
inline bool goes_past_caches(int64_t floats, int64_t channels, const void* result) {
  return floats > of_last_cache(kStreamedFloats) && channels % 16 == 0 && reinterpret_cast<uintptr_t>(result) % 64 == 0;
}

}  // namespace convlane
