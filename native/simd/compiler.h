// SPDX-License-Identifier: MIT
// What differs between compilers. Everything else in simd, kernels and targets is standard C++17 and intrinsics.
#pragma once
#if defined(CONVLANE_RED_ZONES)
#include <sanitizer/asan_interface.h>
#endif

#if defined(__clang__)
#define CONVLANE_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define CONVLANE_UNROLL _Pragma("GCC unroll 32")
#else
#define CONVLANE_UNROLL
#endif

#if defined(__GNUC__)
#define CONVLANE_INLINE_LAMBDA __attribute__((always_inline))  // after the parameters
#define CONVLANE_FORGET(p) asm("" : : "r"(p) : "memory")  // what lies at p may be anything
#define CONVLANE_OPAQUE(p) asm("" : "+r"(p))              // a pointer of its own, in a register: not one more offset from another
#define CONVLANE_NOINLINE __attribute__((noinline))
#define CONVLANE_INLINE inline __attribute__((always_inline))
#define CONVLANE_PREFETCH(p) __builtin_prefetch(p, 0, 2)  // for reading, into L2; p may be any address
#define CONVLANE_PREFETCH_NEAR(p) __builtin_prefetch(p, 0, 3)   // into L1
#define CONVLANE_PREFETCH_WRITE(p) __builtin_prefetch(p, 1, 2)  // for writing
#else
#define CONVLANE_INLINE_LAMBDA
#define CONVLANE_FORGET(p) (static_cast<void>(p))
#define CONVLANE_OPAQUE(p) (static_cast<void>(p))
#define CONVLANE_NOINLINE __declspec(noinline)
#define CONVLANE_INLINE inline
#define CONVLANE_PREFETCH(p) (static_cast<void>(p))
#define CONVLANE_PREFETCH_NEAR(p) (static_cast<void>(p))
#define CONVLANE_PREFETCH_WRITE(p) (static_cast<void>(p))
#endif

// The address sanitizer does not see what intrinsics read or write in part, or past the caches: so many elements of 4 bytes at p.
#if defined(CONVLANE_RED_ZONES)
#define CONVLANE_TOUCH(p, n)                                                                       \
  do {                                                                                             \
    if (void* closed = __asan_region_is_poisoned(const_cast<void*>(static_cast<const void*>(p)), static_cast<size_t>(n) * 4)) \
      (void)*static_cast<volatile char*>(closed);                                                  \
  } while (false)
#else
#define CONVLANE_TOUCH(p, n) (static_cast<void>(0))
#endif
