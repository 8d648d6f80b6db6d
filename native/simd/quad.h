// SPDX-License-Identifier: MIT
// Four floats, for pieces much shorter than a vector: a long one would be read across two cache lines nearly always. x86; elsewhere Vec is that short.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "compiler.h"

namespace convlane {
namespace {

struct Quad {
  static constexpr int width = 4;
  __m128 v;

  static __m128i lanes(int n) { return _mm_cmpgt_epi32(_mm_set1_epi32(n), _mm_setr_epi32(0, 1, 2, 3)); }
  static Quad zero() { return {_mm_setzero_ps()}; }
  static Quad load(const float* p) { return {_mm_loadu_ps(p)}; }
  static Quad load(const float* p, int n) {
    CONVLANE_TOUCH(p, n);
    return {_mm_maskload_ps(p, lanes(n))};
  }
  void store(float* p) const { _mm_storeu_ps(p, v); }
  void store(float* p, int n) const {  // maskstore is slow
    if (n >= width) return store(p);
    CONVLANE_TOUCH(p, n);
    __m128 part = v;
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      p += 2;
      part = _mm_movehl_ps(part, part);
    }
    if (n & 1) _mm_store_ss(p, part);
  }
};

inline Quad operator+(Quad a, Quad b) { return {_mm_add_ps(a.v, b.v)}; }

}  // namespace
}  // namespace convlane
