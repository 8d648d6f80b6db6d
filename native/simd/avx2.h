// SPDX-License-Identifier: MIT
// scalar.h says what the words mean. AVX2 and FMA.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "compiler.h"
#include "quad.h"

namespace convlane {
namespace {

struct Mask { __m256 m; };
struct Int { __m256i v; };

alignas(32) constexpr int32_t kPrefix[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

struct Vec {
  static constexpr int width = 8;
  static constexpr int rows[] = {0, 8, 6};
  static constexpr int vectors = 2;
  static constexpr int strip_rows = 6, strip_vectors = 2;
  static constexpr int product_rows = 6, product_vectors = 2;
  static constexpr int chains = 12;
  static constexpr int registers = 16;
  __m256 v;

  static __m256i lanes(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kPrefix + width - n)); }
  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec set(float x) { return {_mm256_set1_ps(x)}; }
  static Vec factor(const float* p) { return set(*p); }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec load(const float* p, int n) {
    CONVLANE_TOUCH(p, n);
    return {_mm256_maskload_ps(p, lanes(n))};
  }
  static Vec load_bytes(const uint8_t* p) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
  }
  static Mask first(int n) { return {_mm256_castsi256_ps(lanes(n))}; }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store(float* p, int n) const {  // in pieces of 4, 2, 1: maskstore is slow
    if (n >= width) return store(p);
    CONVLANE_TOUCH(p, n);
    __m128 part = _mm256_castps256_ps128(v);
    if (n & 4) {
      _mm_storeu_ps(p, part);
      p += 4;
      part = _mm256_extractf128_ps(v, 1);
    }
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      p += 2;
      part = _mm_movehl_ps(part, part);
    }
    if (n & 1) _mm_store_ss(p, part);
  }
  void stream(float* p) const {
    CONVLANE_TOUCH(p, width);
    _mm256_stream_ps(p, v);
  }
  static Int int_set(uint32_t x) { return {_mm256_set1_epi32(static_cast<int>(x))}; }
  static Int int_iota() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)}; }
  static Int int_load(const int32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static Int int_load(const int32_t* p, int n) {
    CONVLANE_TOUCH(p, n);
    return {_mm256_maskload_epi32(p, lanes(n))};
  }
};

inline void stream_fence() { _mm_sfence(); }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec relu(Vec a) { return {_mm256_max_ps(_mm256_setzero_ps(), a.v)}; }  // vmaxps gives its second operand for NaN and for two zeros
inline void keep(Vec& a) {
#if defined(__GNUC__)
  asm("" : "+x"(a.v));
#else
  (void)a;
#endif
}

// rows[i] becomes column i of them.
inline void transpose(Vec (&rows)[8]) {
  __m256 a[8];
  CONVLANE_UNROLL for (int i = 0; i < 8; i += 4) {  // in each half, a 4 x 4 block of every four rows
    const __m256 u0 = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v), u1 = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
    const __m256 u2 = _mm256_unpacklo_ps(rows[i + 2].v, rows[i + 3].v), u3 = _mm256_unpackhi_ps(rows[i + 2].v, rows[i + 3].v);
    a[i] = _mm256_shuffle_ps(u0, u2, 0x44);
    a[i + 1] = _mm256_shuffle_ps(u0, u2, 0xee);
    a[i + 2] = _mm256_shuffle_ps(u1, u3, 0x44);
    a[i + 3] = _mm256_shuffle_ps(u1, u3, 0xee);
  }
  CONVLANE_UNROLL for (int i = 0; i < 4; ++i) {
    rows[i].v = _mm256_permute2f128_ps(a[i], a[i + 4], 0x20);
    rows[i + 4].v = _mm256_permute2f128_ps(a[i], a[i + 4], 0x31);
  }
}

inline Mask less(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask equal(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask is_nan(Vec a) { return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)}; }
inline bool any(Mask a) { return _mm256_movemask_ps(a.m) != 0; }
inline Mask both(Mask a, Mask b) { return {_mm256_and_ps(a.m, b.m)}; }
inline Mask either(Mask a, Mask b) { return {_mm256_or_ps(a.m, b.m)}; }
inline Mask but_not(Mask a, Mask b) { return {_mm256_andnot_ps(b.m, a.m)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {_mm256_blendv_ps(b.v, a.v, m.m)}; }
inline Int select(Mask m, Int a, Int b) { return {_mm256_blendv_epi8(b.v, a.v, _mm256_castps_si256(m.m))}; }
inline float lane0(Vec a) { return _mm256_cvtss_f32(a.v); }
inline float sum(Vec a) {
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}
inline void sums(const Vec (&a)[4], float* to) {
  const __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(a[0].v, a[1].v), _mm256_hadd_ps(a[2].v, a[3].v));
  _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1)));
}
inline float largest(Vec a) {
  __m128 q = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  q = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

// Lane i becomes that of a with the number in lane i.
inline Vec permute(Vec a, Int lanes) { return {_mm256_permutevar8x32_ps(a.v, lanes.v)}; }

inline Int operator+(Int a, Int b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline Int operator-(Int a, Int b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline Int operator&(Int a, Int b) { return {_mm256_and_si256(a.v, b.v)}; }
inline Int operator|(Int a, Int b) { return {_mm256_or_si256(a.v, b.v)}; }
inline Int operator^(Int a, Int b) { return {_mm256_xor_si256(a.v, b.v)}; }
template <int n> inline Int shift_left(Int a) { return {_mm256_slli_epi32(a.v, n)}; }
template <int n> inline Int shift_right(Int a) { return {_mm256_srli_epi32(a.v, n)}; }
inline Int multiply_low(Int a, Int b) { return {_mm256_mullo_epi32(a.v, b.v)}; }
inline Int multiply_high(Int a, Int b) {
  __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a.v, b.v), 32);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32));
  return {_mm256_blend_epi32(even, odd, 0xaa)};
}
inline Mask equal(Int a, Int b) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))}; }
inline Mask below(Int a, Int b) {  // AVX2 compares signed only
  __m256i flip = _mm256_set1_epi32(INT32_MIN);
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_xor_si256(b.v, flip), _mm256_xor_si256(a.v, flip)))};
}
inline void store(Int a, int32_t* p) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
inline void store(Int a, int32_t* p, int n) {
  if (n >= Vec::width) return store(a, p);
  CONVLANE_TOUCH(p, n);
  __m128i part = _mm256_castsi256_si128(a.v);
  if (n & 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), part);
    p += 4;
    part = _mm256_extracti128_si256(a.v, 1);
  }
  if (n & 2) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), part);
    p += 2;
    part = _mm_srli_si128(part, 8);
  }
  if (n & 1) *p = _mm_cvtsi128_si32(part);
}
inline void store_interleaved(Int a, Int b, Int c, Int d, int32_t* p) {
  __m256i ab0 = _mm256_unpacklo_epi32(a.v, b.v), ab2 = _mm256_unpackhi_epi32(a.v, b.v);
  __m256i cd0 = _mm256_unpacklo_epi32(c.v, d.v), cd2 = _mm256_unpackhi_epi32(c.v, d.v);
  __m256i t0 = _mm256_unpacklo_epi64(ab0, cd0), t1 = _mm256_unpackhi_epi64(ab0, cd0);  // half h of t_i: lane 4h + i of a b c d
  __m256i t2 = _mm256_unpacklo_epi64(ab2, cd2), t3 = _mm256_unpackhi_epi64(ab2, cd2);
  store(Int{_mm256_permute2x128_si256(t0, t1, 0x20)}, p);
  store(Int{_mm256_permute2x128_si256(t2, t3, 0x20)}, p + 8);
  store(Int{_mm256_permute2x128_si256(t0, t1, 0x31)}, p + 16);
  store(Int{_mm256_permute2x128_si256(t2, t3, 0x31)}, p + 24);
}
inline Vec to_float(Int a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline Vec as_float(Int a) { return {_mm256_castsi256_ps(a.v)}; }
inline Int as_int(Vec a) { return {_mm256_castps_si256(a.v)}; }

}  // namespace
}  // namespace convlane
