// SPDX-License-Identifier: MIT
// scalar.h says what the words mean. AVX-512 F, BW, DQ, VL.
#pragma once
#include <immintrin.h>

#include <cstdint>

#include "compiler.h"
#include "quad.h"

namespace convlane {
namespace {

struct Mask { __mmask16 m; };
struct Int { __m512i v; };

struct Vec {
  static constexpr int width = 16;
  static constexpr int rows[] = {0, 16, 8, 8, 4};
  static constexpr int vectors = 4;
  static constexpr int strip_rows = 14, strip_vectors = 2;
  static constexpr int product_rows = 14, product_vectors = 2;
  static constexpr int chains = 12;
  static constexpr int registers = 32;
  __m512 v;

  static __mmask16 bits(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec set(float x) { return {_mm512_set1_ps(x)}; }
  static Vec factor(const float* p) { return set(*p); }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec load(const float* p, int n) {
    CONVLANE_TOUCH(p, n);
    return {_mm512_maskz_loadu_ps(bits(n), p)};
  }
  static Vec load_bytes(const uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  static Mask first(int n) { return {bits(n)}; }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store(float* p, int n) const {
    CONVLANE_TOUCH(p, n);
    _mm512_mask_storeu_ps(p, bits(n), v);
  }
  void stream(float* p) const {
    CONVLANE_TOUCH(p, width);
    _mm512_stream_ps(p, v);
  }
  static Int int_set(uint32_t x) { return {_mm512_set1_epi32(static_cast<int>(x))}; }
  static Int int_iota() { return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)}; }
  static Int int_load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  static Int int_load(const int32_t* p, int n) {
    CONVLANE_TOUCH(p, n);
    return {_mm512_maskz_loadu_epi32(bits(n), p)};
  }
};

inline void stream_fence() { _mm_sfence(); }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec relu(Vec a) { return {_mm512_max_ps(_mm512_setzero_ps(), a.v)}; }  // vmaxps gives its second operand for NaN and for two zeros
inline void keep(Vec& a) {
#if defined(__GNUC__)
  asm("" : "+v"(a.v));
#else
  (void)a;
#endif
}

// rows[i] becomes column i of them.
inline void transpose(Vec (&rows)[16]) {
  __m512 a[16], b[16];
  CONVLANE_UNROLL for (int i = 0; i < 16; i += 4) {  // in each quarter, a 4 x 4 block of every four rows
    const __m512 u0 = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v), u1 = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
    const __m512 u2 = _mm512_unpacklo_ps(rows[i + 2].v, rows[i + 3].v), u3 = _mm512_unpackhi_ps(rows[i + 2].v, rows[i + 3].v);
    a[i] = _mm512_shuffle_ps(u0, u2, 0x44);
    a[i + 1] = _mm512_shuffle_ps(u0, u2, 0xee);
    a[i + 2] = _mm512_shuffle_ps(u1, u3, 0x44);
    a[i + 3] = _mm512_shuffle_ps(u1, u3, 0xee);
  }
  CONVLANE_UNROLL for (int i = 0; i < 4; ++i) {
    b[i] = _mm512_shuffle_f32x4(a[i], a[i + 4], 0x44);           // quarters 0 1 of each
    b[i + 4] = _mm512_shuffle_f32x4(a[i], a[i + 4], 0xee);       // quarters 2 3
    b[i + 8] = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0x44);
    b[i + 12] = _mm512_shuffle_f32x4(a[i + 8], a[i + 12], 0xee);
  }
  CONVLANE_UNROLL for (int i = 0; i < 4; ++i) {
    rows[i].v = _mm512_shuffle_f32x4(b[i], b[i + 8], 0x88);
    rows[i + 4].v = _mm512_shuffle_f32x4(b[i], b[i + 8], 0xdd);
    rows[i + 8].v = _mm512_shuffle_f32x4(b[i + 4], b[i + 12], 0x88);
    rows[i + 12].v = _mm512_shuffle_f32x4(b[i + 4], b[i + 12], 0xdd);
  }
}

inline Mask less(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask equal(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask is_nan(Vec a) { return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)}; }
inline bool any(Mask a) { return a.m != 0; }
inline Mask both(Mask a, Mask b) { return {static_cast<__mmask16>(a.m & b.m)}; }
inline Mask either(Mask a, Mask b) { return {static_cast<__mmask16>(a.m | b.m)}; }
inline Mask but_not(Mask a, Mask b) { return {static_cast<__mmask16>(a.m & ~b.m)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m.m, b.v, a.v)}; }
inline Int select(Mask m, Int a, Int b) { return {_mm512_mask_blend_epi32(m.m, b.v, a.v)}; }
inline float lane0(Vec a) { return _mm512_cvtss_f32(a.v); }
inline float sum(Vec a) {
  __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  q = _mm_add_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}
inline void sums(const Vec (&a)[4], float* to) {  // halves of two, then quarters of four beside each other, then pairs within the quarters
  const __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a[0].v, a[1].v, 0x44), _mm512_shuffle_f32x4(a[0].v, a[1].v, 0xee));
  const __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(a[2].v, a[3].v, 0x44), _mm512_shuffle_f32x4(a[2].v, a[3].v, 0xee));
  __m512 q = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  q = _mm512_add_ps(q, _mm512_permute_ps(q, 0x4e));
  q = _mm512_add_ps(q, _mm512_permute_ps(q, 0xb1));
  _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_maskz_compress_ps(0x1111, q)));
}
inline float largest(Vec a) {
  __m256 h = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  __m128 q = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  q = _mm_max_ps(q, _mm_movehl_ps(q, q));
  return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

// Lane i becomes that of a with the number in lane i.
inline Vec permute(Vec a, Int lanes) { return {_mm512_permutexvar_ps(lanes.v, a.v)}; }

inline Int operator+(Int a, Int b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline Int operator-(Int a, Int b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline Int operator&(Int a, Int b) { return {_mm512_and_si512(a.v, b.v)}; }
inline Int operator|(Int a, Int b) { return {_mm512_or_si512(a.v, b.v)}; }
inline Int operator^(Int a, Int b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int n> inline Int shift_left(Int a) { return {_mm512_slli_epi32(a.v, n)}; }
template <int n> inline Int shift_right(Int a) { return {_mm512_srli_epi32(a.v, n)}; }
inline Int multiply_low(Int a, Int b) { return {_mm512_mullo_epi32(a.v, b.v)}; }
inline Int multiply_high(Int a, Int b) {
  __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a.v, b.v), 32);
  __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32));
  return {_mm512_mask_blend_epi32(0xaaaa, even, odd)};
}
inline Mask equal(Int a, Int b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
inline Mask below(Int a, Int b) { return {_mm512_cmplt_epu32_mask(a.v, b.v)}; }
inline void store(Int a, int32_t* p) { _mm512_storeu_si512(p, a.v); }
inline void store(Int a, int32_t* p, int n) {
  CONVLANE_TOUCH(p, n);
  _mm512_mask_storeu_epi32(p, Vec::bits(n), a.v);
}
inline void store_interleaved(Int a, Int b, Int c, Int d, int32_t* p) {
  __m512i ab0 = _mm512_unpacklo_epi32(a.v, b.v), ab2 = _mm512_unpackhi_epi32(a.v, b.v);
  __m512i cd0 = _mm512_unpacklo_epi32(c.v, d.v), cd2 = _mm512_unpackhi_epi32(c.v, d.v);
  __m512i t0 = _mm512_unpacklo_epi64(ab0, cd0), t1 = _mm512_unpackhi_epi64(ab0, cd0);  // quarter q of t_i: lane 4q + i of a b c d
  __m512i t2 = _mm512_unpacklo_epi64(ab2, cd2), t3 = _mm512_unpackhi_epi64(ab2, cd2);
  __m512i u0 = _mm512_shuffle_i32x4(t0, t1, 0x88), u1 = _mm512_shuffle_i32x4(t2, t3, 0x88);  // quarters 0 2 of each
  __m512i u2 = _mm512_shuffle_i32x4(t0, t1, 0xdd), u3 = _mm512_shuffle_i32x4(t2, t3, 0xdd);  // quarters 1 3
  _mm512_storeu_si512(p, _mm512_shuffle_i32x4(u0, u1, 0x88));
  _mm512_storeu_si512(p + 16, _mm512_shuffle_i32x4(u2, u3, 0x88));
  _mm512_storeu_si512(p + 32, _mm512_shuffle_i32x4(u0, u1, 0xdd));
  _mm512_storeu_si512(p + 48, _mm512_shuffle_i32x4(u2, u3, 0xdd));
}
inline Vec to_float(Int a) { return {_mm512_cvtepi32_ps(a.v)}; }
inline Vec as_float(Int a) { return {_mm512_castsi512_ps(a.v)}; }
inline Int as_int(Vec a) { return {_mm512_castps_si512(a.v)}; }

}  // namespace
}  // namespace convlane
