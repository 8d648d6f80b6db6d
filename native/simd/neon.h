// SPDX-License-Identifier: MIT
// scalar.h says what the words mean. Advanced SIMD of every 64-bit ARM.
#pragma once
#include <arm_neon.h>

#include <cstdint>

#include "compiler.h"

namespace convlane {
namespace {

struct Mask { uint32x4_t m; };
struct Int { uint32x4_t v; };
struct Factor { float32x4_t v; };  // lane 0

struct Vec {
  static constexpr int width = 4;
  static constexpr int rows[] = {0, 8, 8, 8, 6};
  static constexpr int vectors = 4;
  static constexpr int strip_rows = 6, strip_vectors = 4;
  static constexpr int product_rows = 6, product_vectors = 4;
  static constexpr int chains = 24;
  static constexpr int registers = 32;
  float32x4_t v;

  static uint32x4_t iota() {
    const uint32_t i[4] = {0, 1, 2, 3};
    return vld1q_u32(i);
  }
  static Vec zero() { return {vdupq_n_f32(0.0f)}; }
  static Vec set(float x) { return {vdupq_n_f32(x)}; }
  // Loaded by hand: compilers make ld1r of it, which takes one of the pipes that multiply.
  static Factor factor(const float* p) {
#if defined(__GNUC__)
    Factor f;
    asm("ldr %s0, %1" : "=w"(f.v) : "m"(*p));
    return f;
#else
    return {vld1q_dup_f32(p)};
#endif
  }
  static Vec load(const float* p) { return {vld1q_f32(p)}; }
  static Vec load(const float* p, int n) {
    if (n >= width) return load(p);
    float32x4_t r = vdupq_n_f32(0.0f);
    if (n > 0) r = vld1q_lane_f32(p, r, 0);
    if (n > 1) r = vld1q_lane_f32(p + 1, r, 1);
    if (n > 2) r = vld1q_lane_f32(p + 2, r, 2);
    return {r};
  }
  static Vec load_bytes(const uint8_t* p) {
    const uint32_t i[4] = {p[0], p[1], p[2], p[3]};
    return {vcvtq_f32_u32(vld1q_u32(i))};
  }
  static Mask first(int n) { return {vcltq_u32(iota(), vdupq_n_u32(static_cast<uint32_t>(n)))}; }
  void store(float* p) const { vst1q_f32(p, v); }
  void store(float* p, int n) const {
    if (n >= width) return store(p);
    if (n > 0) vst1q_lane_f32(p, v, 0);
    if (n > 1) vst1q_lane_f32(p + 1, v, 1);
    if (n > 2) vst1q_lane_f32(p + 2, v, 2);
  }
  void stream(float* p) const { vst1q_f32(p, v); }
  static Int int_set(uint32_t x) { return {vdupq_n_u32(x)}; }
  static Int int_iota() { return {iota()}; }
  static Int int_load(const int32_t* p) { return {vreinterpretq_u32_s32(vld1q_s32(p))}; }
  static Int int_load(const int32_t* p, int n) {
    if (n >= width) return int_load(p);
    int32x4_t r = vdupq_n_s32(0);
    if (n > 0) r = vld1q_lane_s32(p, r, 0);
    if (n > 1) r = vld1q_lane_s32(p + 1, r, 1);
    if (n > 2) r = vld1q_lane_s32(p + 2, r, 2);
    return {vreinterpretq_u32_s32(r)};
  }
};

using Quad = Vec;

inline void stream_fence() {}
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec fma(Factor a, Vec b, Vec c) { return {vfmaq_laneq_f32(c.v, b.v, a.v, 0)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {vfmsq_f32(c.v, a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
inline Vec relu(Vec a) { return {vbslq_f32(vcltzq_f32(a.v), vdupq_n_f32(0.0f), a.v)}; }
inline void keep(Vec&) {}

// rows[i] becomes column i of them.
inline void transpose(Vec (&rows)[4]) {
  const float32x4x2_t a = vtrnq_f32(rows[0].v, rows[1].v), b = vtrnq_f32(rows[2].v, rows[3].v);
  rows[0].v = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  rows[1].v = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  rows[2].v = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  rows[3].v = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

inline Mask less(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
inline Mask equal(Vec a, Vec b) { return {vceqq_f32(a.v, b.v)}; }
inline Mask is_nan(Vec a) { return {vmvnq_u32(vceqq_f32(a.v, a.v))}; }
inline bool any(Mask a) { return vmaxvq_u32(a.m) != 0; }
inline Mask both(Mask a, Mask b) { return {vandq_u32(a.m, b.m)}; }
inline Mask either(Mask a, Mask b) { return {vorrq_u32(a.m, b.m)}; }
inline Mask but_not(Mask a, Mask b) { return {vbicq_u32(a.m, b.m)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {vbslq_f32(m.m, a.v, b.v)}; }
inline Int select(Mask m, Int a, Int b) { return {vbslq_u32(m.m, a.v, b.v)}; }
inline float lane0(Vec a) { return vgetq_lane_f32(a.v, 0); }
inline float sum(Vec a) { return vaddvq_f32(a.v); }
inline void sums(const Vec (&a)[4], float* to) { vst1q_f32(to, vpaddq_f32(vpaddq_f32(a[0].v, a[1].v), vpaddq_f32(a[2].v, a[3].v))); }
inline float largest(Vec a) { return vmaxvq_f32(a.v); }

// Lane i becomes that of a with the number in lane i.
inline uint8x16_t bytes_of(Int lanes) {
  return vreinterpretq_u8_u32(vmlaq_n_u32(vdupq_n_u32(0x03020100), lanes.v, 0x04040404));
}
inline Vec permute(Vec a, Int lanes) { return {vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(a.v), bytes_of(lanes)))}; }

inline Int operator+(Int a, Int b) { return {vaddq_u32(a.v, b.v)}; }
inline Int operator-(Int a, Int b) { return {vsubq_u32(a.v, b.v)}; }
inline Int operator&(Int a, Int b) { return {vandq_u32(a.v, b.v)}; }
inline Int operator|(Int a, Int b) { return {vorrq_u32(a.v, b.v)}; }
inline Int operator^(Int a, Int b) { return {veorq_u32(a.v, b.v)}; }
template <int n> inline Int shift_left(Int a) { return {vshlq_n_u32(a.v, n)}; }
template <int n> inline Int shift_right(Int a) { return {vshrq_n_u32(a.v, n)}; }
inline Int multiply_low(Int a, Int b) { return {vmulq_u32(a.v, b.v)}; }
inline Int multiply_high(Int a, Int b) {
  uint64x2_t low = vmull_u32(vget_low_u32(a.v), vget_low_u32(b.v)), high = vmull_high_u32(a.v, b.v);
  return {vuzp2q_u32(vreinterpretq_u32_u64(low), vreinterpretq_u32_u64(high))};
}
inline Mask equal(Int a, Int b) { return {vceqq_u32(a.v, b.v)}; }
inline Mask below(Int a, Int b) { return {vcltq_u32(a.v, b.v)}; }
inline void store(Int a, int32_t* p) { vst1q_s32(p, vreinterpretq_s32_u32(a.v)); }
inline void store(Int a, int32_t* p, int n) {
  if (n >= Vec::width) return store(a, p);
  int32x4_t r = vreinterpretq_s32_u32(a.v);
  if (n > 0) vst1q_lane_s32(p, r, 0);
  if (n > 1) vst1q_lane_s32(p + 1, r, 1);
  if (n > 2) vst1q_lane_s32(p + 2, r, 2);
}
inline void store_interleaved(Int a, Int b, Int c, Int d, int32_t* p) {
  uint32x4x4_t all = {{a.v, b.v, c.v, d.v}};
  vst4q_u32(reinterpret_cast<uint32_t*>(p), all);
}
inline Vec to_float(Int a) { return {vcvtq_f32_s32(vreinterpretq_s32_u32(a.v))}; }
inline Vec as_float(Int a) { return {vreinterpretq_f32_u32(a.v)}; }
inline Int as_int(Vec a) { return {vreinterpretq_u32_f32(a.v)}; }

}  // namespace
}  // namespace convlane
