// SPDX-License-Identifier: MIT
#pragma once
#include "activation.h"

namespace convlane {
namespace {

constexpr int64_t kRowBlock = 1024;  // values summed in vector lanes before they join the row's sum, in double precision

// Two sums over a row at once: add(a, b, index, part) adds to both. Two chains each, so that one sum doesn't wait for the last addition.
template <class V, class Add>
inline void row_sums(int64_t count, double* first, double* second, const Add& add) {
  *first = *second = 0;
  for (int64_t start = 0; start < count; start += kRowBlock) {
    const int64_t end = start + kRowBlock < count ? start + kRowBlock : count;
    V a[2] = {V::zero(), V::zero()}, b[2] = {V::zero(), V::zero()};
    int64_t j = start;
    for (; j + 2 * V::width <= end; j += 2 * V::width) {
      add(a[0], b[0], j, Whole<V>{});
      add(a[1], b[1], j + V::width, Whole<V>{});
    }
    for_vectors<V>(end - j, [&](int64_t i, auto part) { add(a[0], b[0], j + i, part); });
    *first += sum(a[0] + a[1]);
    *second += sum(b[0] + b[1]);
  }
}

// Of each row: its mean, where centered (else 0 stands for it and none is stored), and the mean squared distance from it.
template <class V>
void row_moments(const float* x, int64_t rows, int64_t columns, bool centered, float* mean, float* variance) {
  const double share = 1.0 / static_cast<double>(columns);
  for (int64_t r = 0; r < rows; ++r, x += columns) {
    double total, squares;
    V center = V::zero();
    if (centered) {
      row_sums<V>(columns, &total, &squares, [&](V& a, V&, int64_t j, auto part) { a = a + part.load(x + j); });
      mean[r] = static_cast<float>(total * share);
      center = V::set(mean[r]);
    }
    // What the mean lost when it was rounded is in the sum of the distances, and is taken out of that of their squares.
    row_sums<V>(columns, &total, &squares, [&](V& a, V& b, int64_t j, auto part) {
      const V d = part.or_else(part.load(x + j) - center, V::zero());
      a = a + d;
      b = fma(d, d, b);
    });
    const double rest = centered ? total * share : 0.0, found = squares * share - rest * rest;
    variance[r] = static_cast<float>(found < 0.0 ? 0.0 : found);
  }
}

template <class V>
void row_norm(const float* x, const float* mean, const float* inverse, const float* gamma, const float* beta, int64_t rows, int64_t columns,
              Activation activation, float* y) {
  with_activation<V>(activation, [&](auto f) {
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = r * columns;
      const V center = V::set(mean == nullptr ? 0.0f : mean[r]), scale = V::set(inverse[r]);
      for_vectors<V>(columns, [&](int64_t j, auto part) {
        part.store(f(fma((part.load(x + at + j) - center) * scale, part.load(gamma + j), part.load(beta + j))), y + at + j);
      });
    }
  });
}

// The pass over a row that writes; what isn't wanted costs nothing.
template <class V, bool with_dx, bool with_sums>
inline void row_gradient(const float* dy, const float* x, const float* gamma, int64_t columns, float mean, float inverse, float slope, float offset, float* dx,
                         float* dgamma, float* dbeta) {
  const V center = V::set(mean), scale = V::set(inverse), s = V::set(slope), o = V::set(offset);
  for_vectors<V>(columns, [&](int64_t j, auto part) {
    const V d = part.load(dy + j), c = part.load(x + j) - center;
    if (with_dx) part.store(fma(d * part.load(gamma + j), scale, fma(c, s, o)), dx + j);
    if (with_sums) part.store(fma(d, c * scale, part.load(dgamma + j)), dgamma + j), part.store(d + part.load(dbeta + j), dbeta + j);
  });
}

template <class V>
void row_norm_backward(const float* dy, const float* x, const float* mean, const float* inverse, const float* gamma, int64_t rows, int64_t columns, float* dx,
                       float* dgamma, float* dbeta) {
  const double share = 1.0 / static_cast<double>(columns);
  for (int64_t r = 0; r < rows; ++r, dy += columns, x += columns) {
    const float m = mean == nullptr ? 0.0f : mean[r];
    if (dx == nullptr) {
      row_gradient<V, false, true>(dy, x, gamma, columns, m, inverse[r], 0.0f, 0.0f, nullptr, dgamma, dbeta);
      continue;
    }
    const V center = V::set(m);
    double total, product;
    row_sums<V>(columns, &total, &product, [&](V& a, V& b, int64_t j, auto part) {
      const V g = part.load(dy + j) * part.load(gamma + j);
      a = a + g;
      b = fma(g, part.or_else(part.load(x + j) - center, V::zero()), b);
    });
    const double factor = inverse[r];
    const float slope = static_cast<float>(-factor * factor * factor * product * share);
    const float offset = mean == nullptr ? 0.0f : static_cast<float>(-factor * total * share);
    float* out = dx + r * columns;
    if (dgamma == nullptr) row_gradient<V, true, false>(dy, x, gamma, columns, m, inverse[r], slope, offset, out, nullptr, nullptr);
    else row_gradient<V, true, true>(dy, x, gamma, columns, m, inverse[r], slope, offset, out, dgamma, dbeta);
  }
}

}  // namespace
}  // namespace convlane
