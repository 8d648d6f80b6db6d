// SPDX-License-Identifier: MIT
#pragma once
#include "activation.h"

namespace convlane {
namespace {

template <class V>
void add(const float* a, const float* b, float* y, int64_t count, Activation activation) {
  with_activation<V>(activation, [&](auto f) {
    for_vectors<V>(count, [&](int64_t i, auto part) { part.store(f(part.load(a + i) + part.load(b + i)), y + i); });
  });
}

template <class V>
void multiply(const float* a, const float* b, float* y, int64_t count) {
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(part.load(a + i) * part.load(b + i), y + i); });
}

template <class V>
void scale(const float* x, float s, float* y, int64_t count) {
  const V factor = V::set(s);
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(part.load(x + i) * factor, y + i); });
}

template <class V>
void axpy(float s, const float* x, float* y, int64_t count) {
  const V factor = V::set(s);
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(fma(factor, part.load(x + i), part.load(y + i)), y + i); });
}

// T is uint8_t or float.
template <class V, class T>
void normalize(const T* x, const float* scale, const float* offset, int64_t period, float* y, int64_t count) {
  if (V::width == 1 || period >= V::width) {
    for (int64_t start = 0; start < count; start += period) {
      for_vectors<V>(period < count - start ? period : count - start, [&](int64_t j, auto part) {
        part.store(fma(part.load(x + start + j), part.load(scale + j), part.load(offset + j)), y + start + j);
      });
    }
    return;
  }
  float scales[V::width * V::width], offsets[V::width * V::width];  // `period` vectors, after which the lanes repeat
  for (int64_t i = 0; i < period * V::width; ++i) {
    scales[i] = scale[i % period];
    offsets[i] = offset[i % period];
  }
  int64_t at = 0;
  for_vectors<V>(count, [&](int64_t i, auto part) {
    part.store(fma(part.load(x + i), V::load(scales + at), V::load(offsets + at)), y + i);
    at += V::width;
    if (at == period * V::width) at = 0;
  });
}

// Sums of up to NV vectors of columns: a chain over each block of 64 rows, the blocks by a binary tree. `levels` holds the
// sums of finished subtrees; after block n as many of them merge as n has low bits set.
template <class V, int NV, class Part>
void column_sums_of(const float* x, int64_t rows, int64_t ld, float* out, Part part) {
  constexpr int64_t block = 64;
  V levels[58][NV];
  int top = 0;
  for (int64_t r = 0, n = 0; r < rows; r += block, ++n) {
    V total[NV];
    for (int j = 0; j < NV; ++j) total[j] = V::zero();
    const int64_t end = r + block < rows ? r + block : rows;
    for (int64_t i = r; i < end; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) total[j] = total[j] + part.load(x + i * ld + j * V::width);
    }
    for (int64_t bits = n; bits & 1; bits >>= 1) {
      --top;
      for (int j = 0; j < NV; ++j) total[j] = levels[top][j] + total[j];
    }
    for (int j = 0; j < NV; ++j) levels[top][j] = total[j];
    ++top;
  }
  for (int j = 0; j < NV; ++j) {
    V total = V::zero();
    for (int level = top; level > 0; --level) total = levels[level - 1][j] + total;
    part.store(total, out + j * V::width);
  }
}

template <class V>
void column_sums(const float* x, int64_t rows, int64_t columns, int64_t ld, float* out) {
  int64_t j = 0;
  for (; j + 4 * V::width <= columns; j += 4 * V::width) column_sums_of<V, 4>(x + j, rows, ld, out + j, Whole<V>{});
  for_vectors<V>(columns - j, [&](int64_t i, auto part) { column_sums_of<V, 1>(x + j + i, rows, ld, out + j + i, part); });
}

}  // namespace
}  // namespace convlane
