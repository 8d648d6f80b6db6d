// SPDX-License-Identifier: MIT
#pragma once
#include "loop.h"
#include "math.h"

namespace convlane {
namespace {

// y = exp(x - max x); returns the sum of y. `*maximum` is max x, NaN left aside (NaN then reaches every y and the sum by itself).
template <class V>
float exponentials(const float* x, int64_t columns, float* y, float* maximum) {
  V top = V::set(-kInfinity);
  for_vectors<V>(columns, [&](int64_t j, auto part) { top = max(part.or_else(part.load(x + j), V::set(-kInfinity)), top); });
  const V shift = V::set(*maximum = largest(top));
  V total = V::zero();
  for_vectors<V>(columns, [&](int64_t j, auto part) {
    V e = exp(part.load(x + j) - shift);
    part.store(e, y + j);
    total = total + part.or_else(e, V::zero());
  });
  return sum(total);
}

template <class V>
void softmax(const float* x, int64_t rows, int64_t columns, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += columns, y += columns) {
    float maximum;
    const V inverse = V::set(1.0f / exponentials<V>(x, columns, y, &maximum));
    for_vectors<V>(columns, [&](int64_t j, auto part) { part.store(part.load(y + j) * inverse, y + j); });
  }
}

template <class V>
void softmax_backward(const float* dy, const float* y, int64_t rows, int64_t columns, float* dx) {
  for (int64_t r = 0; r < rows; ++r, dy += columns, y += columns, dx += columns) {
    V total = V::zero();
    for_vectors<V>(columns, [&](int64_t j, auto part) { total = fma(part.load(dy + j), part.load(y + j), total); });
    const V mean = V::set(sum(total));
    for_vectors<V>(columns, [&](int64_t j, auto part) { part.store(part.load(y + j) * (part.load(dy + j) - mean), dx + j); });
  }
}

// y = x - max x - log(sum of exp(x - max x))
template <class V>
void log_softmax(const float* x, int64_t rows, int64_t columns, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += columns, y += columns) {
    V top = V::set(-kInfinity), total = V::zero();
    for_vectors<V>(columns, [&](int64_t j, auto part) { top = max(part.or_else(part.load(x + j), V::set(-kInfinity)), top); });
    const V shift = V::set(largest(top));
    for_vectors<V>(columns, [&](int64_t j, auto part) { total = total + part.or_else(exp(part.load(x + j) - shift), V::zero()); });
    const V logarithm = log(V::set(sum(total)));
    for_vectors<V>(columns, [&](int64_t j, auto part) { part.store(part.load(x + j) - shift - logarithm, y + j); });
  }
}

template <class V>
void log_softmax_backward(const float* dy, const float* y, int64_t rows, int64_t columns, float* dx) {
  for (int64_t r = 0; r < rows; ++r, dy += columns, y += columns, dx += columns) {
    V total = V::zero();
    for_vectors<V>(columns, [&](int64_t j, auto part) { total = total + part.load(dy + j); });
    const V all = V::set(sum(total));
    for_vectors<V>(columns, [&](int64_t j, auto part) { part.store(fnma(exp(part.load(y + j)), all, part.load(dy + j)), dx + j); });
  }
}

}  // namespace
}  // namespace convlane
