// SPDX-License-Identifier: MIT
// What differs between compilers. Everything else in simd, kernels and targets is standard C++17 and intrinsics.
#pragma once

#if defined(__clang__)
#define CONVLANE_UNROLL _Pragma("clang loop unroll(full)")
#define CONVLANE_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__)
#define CONVLANE_UNROLL _Pragma("GCC unroll 32")
#define CONVLANE_NOINLINE __attribute__((noinline))
#else
#define CONVLANE_UNROLL
#define CONVLANE_NOINLINE __declspec(noinline)
#endif
