// SPDX-License-Identifier: MIT
// The vocabulary that kernels are written in, with one float in a vector: plain C++, and the definition of what each word means.
// Everything is in an unnamed namespace: a target's code must never be merged with another target's (see targets/).
#pragma once
#include <math.h>

#include <cstdint>
#include <cstring>

#include "compiler.h"

namespace convlane {
namespace {

struct Mask { bool m; };
struct Int { uint32_t v; };  // lanes of 32 bits; arithmetic wraps

struct Vec {
  static constexpr int width = 1;
  static constexpr int rows[] = {0, 8, 4, 2, 2};  // of the GEMM tile, by number of vectors
  static constexpr int vectors = 4;
  static constexpr int strip_rows = 2, strip_vectors = 4;      // of the tile between packed strips and panels
  static constexpr int product_rows = 4, product_vectors = 4;  // of the tile of Winograd's product
  static constexpr int chains = 12;               // independent FMAs that fill the pipeline (probe.h)
  static constexpr int registers = 16;            // vectors that a kernel may keep
  float v;

  static Vec zero() { return {0.0f}; }
  static Vec set(float x) { return {x}; }
  static Vec factor(const float* p) { return {*p}; }                       // what fma takes in place of a vector of *p
  static Vec load(const float* p) { return {*p}; }
  static Vec load(const float* p, int n) { return {n > 0 ? *p : 0.0f}; }  // the first n <= width values; 0 in the other lanes
  static Vec load_bytes(const uint8_t* p) { return {static_cast<float>(*p)}; }
  static Mask first(int n) { return {n > 0}; }                             // lanes below n
  void store(float* p) const { *p = v; }
  void store(float* p, int n) const { if (n > 0) *p = v; }
  void stream(float* p) const { *p = v; }    // past the caches, where the set has such a store; p at a multiple of a vector
  static Int int_set(uint32_t x) { return {x}; }
  static Int int_iota() { return {0}; }                                    // 0, 1, 2, …
  static Int int_load(const int32_t* p) { return {static_cast<uint32_t>(*p)}; }
  static Int int_load(const int32_t* p, int n) { return {n > 0 ? static_cast<uint32_t>(*p) : 0u}; }
};

using Quad = Vec;  // of short pieces, up to four floats

inline void stream_fence() {}                                       // before what was streamed is handed to another thread
inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }   // a b + c; here rounded twice, elsewhere once
inline Vec fnma(Vec a, Vec b, Vec c) { return {c.v - a.v * b.v}; }  // c - a b
inline Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }    // NaN where b is NaN
inline Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }    // NaN where b is NaN
inline Vec sqrt(Vec a) { return {::sqrtf(a.v)}; }
inline Vec relu(Vec a) { return {a.v < 0.0f ? 0.0f : a.v}; }        // NaN and -0 stay
inline void keep(Vec&) {}                                           // holds a loaded value in its register

inline void transpose(Vec (&)[1]) {}                                // rows[i] becomes column i of as many rows as a vector has lanes

inline Mask less(Vec a, Vec b) { return {a.v < b.v}; }
inline Mask equal(Vec a, Vec b) { return {a.v == b.v}; }
inline Mask is_nan(Vec a) { return {a.v != a.v}; }
inline bool any(Mask a) { return a.m; }                             // in any lane
inline Mask both(Mask a, Mask b) { return {a.m && b.m}; }
inline Mask either(Mask a, Mask b) { return {a.m || b.m}; }
inline Mask but_not(Mask a, Mask b) { return {a.m && !b.m}; }
inline Vec select(Mask m, Vec a, Vec b) { return m.m ? a : b; }
inline Int select(Mask m, Int a, Int b) { return m.m ? a : b; }
inline float sum(Vec a) { return a.v; }                             // always in the same order of lanes
inline void sums(const Vec (&a)[4], float* to) {                    // of four, each in one order of lanes, which may be another one
  for (int i = 0; i < 4; ++i) to[i] = a[i].v;
}
inline float largest(Vec a) { return a.v; }                         // of lanes without NaN
inline float lane0(Vec a) { return a.v; }

inline Vec permute(Vec a, Int) { return a; }                        // lane i becomes that of a with the number in lane i
inline Int operator+(Int a, Int b) { return {a.v + b.v}; }
inline Int operator-(Int a, Int b) { return {a.v - b.v}; }
inline Int operator&(Int a, Int b) { return {a.v & b.v}; }
inline Int operator|(Int a, Int b) { return {a.v | b.v}; }
inline Int operator^(Int a, Int b) { return {a.v ^ b.v}; }
template <int n> inline Int shift_left(Int a) { return {a.v << n}; }
template <int n> inline Int shift_right(Int a) { return {a.v >> n}; }  // fills with zeros
inline Int multiply_low(Int a, Int b) { return {a.v * b.v}; }
inline Int multiply_high(Int a, Int b) { return {static_cast<uint32_t>((static_cast<uint64_t>(a.v) * b.v) >> 32)}; }  // unsigned
inline Mask equal(Int a, Int b) { return {a.v == b.v}; }
inline Mask below(Int a, Int b) { return {a.v < b.v}; }             // unsigned
inline void store(Int a, int32_t* p) { *p = static_cast<int32_t>(a.v); }
inline void store(Int a, int32_t* p, int n) { if (n > 0) *p = static_cast<int32_t>(a.v); }
inline void store_interleaved(Int a, Int b, Int c, Int d, int32_t* p) {  // a0 b0 c0 d0 a1 b1 …
  store(a, p), store(b, p + 1), store(c, p + 2), store(d, p + 3);
}
inline Vec to_float(Int a) { return {static_cast<float>(static_cast<int32_t>(a.v))}; }  // signed
inline Vec as_float(Int a) { Vec r; std::memcpy(&r.v, &a.v, 4); return r; }
inline Int as_int(Vec a) { Int r; std::memcpy(&r.v, &a.v, 4); return r; }

}  // namespace
}  // namespace convlane
