// SPDX-License-Identifier: MIT
// One allocation holds many things, one behind the other, and the address sanitizer sees only where it begins and ends. In builds with it
// (CONVLANE_RED_ZONES) it reports who touches closed memory; in others nothing is closed.
#pragma once
#include <cstddef>

#if defined(CONVLANE_RED_ZONES)
#include <sanitizer/asan_interface.h>
#endif

namespace convlane {

#if defined(CONVLANE_RED_ZONES)
constexpr bool kRedZones = true;
inline void close_memory(const void* at, size_t bytes) { __asan_poison_memory_region(at, bytes); }
inline void open_memory(const void* at, size_t bytes) { __asan_unpoison_memory_region(at, bytes); }
#else
constexpr bool kRedZones = false;
inline void close_memory(const void*, size_t) {}
inline void open_memory(const void*, size_t) {}
#endif

}  // namespace convlane
