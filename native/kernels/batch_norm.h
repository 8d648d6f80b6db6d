// SPDX-License-Identifier: MIT
#pragma once
#include "activation.h"

namespace convlane {
namespace {

constexpr int64_t kMomentRows = 64;  // rows of a leaf of the trees below
constexpr int64_t kRowsAhead = 16;   // how far ahead rows are fetched whose columns are read a part at a time: the processor doesn't see these coming

// Calls merge(level) for each finished subtree that the leaf number n completes, from the last level down; gives the level where the result belongs.
template <class Merge>
inline int merge_levels(int top, int64_t n, const Merge& merge) {
  for (int64_t bits = n; bits & 1; bits >>= 1) merge(--top);
  return top;
}

template <class V, int NV>
inline void fetch(const float* p) {
  for (int j = 0; j < NV * V::width; j += 16) CONVLANE_PREFETCH(p + j);
}

// Mean and sum of squared distances from it of NV vectors of columns. A leaf is summed up in one pass about a pivot, the mean of the leaf before, of the first
// eight rows at first. So a mean far from 0 costs no digits, and a leaf's distance from its pivot, which does, is part of the result at the same size: a leaf
// that lies elsewhere than the one before adds as much to the squares. Leaves merge by a binary tree as Chan, Golub and LeVeque have it.
template <class V, int NV, class Part>
void column_moments_of(const float* x, int64_t rows, int64_t ld, float* mean, float* squares, Part part) {
  if (rows < 1) return;
  V means[58][NV], sums[58][NV];
  int64_t counts[58];
  const bool ahead = ld > NV * V::width;
  int top = 0;
  const auto merge = [&](V(&m)[NV], V(&s)[NV], int64_t& count, int level) {  // (m, s, count) come after those of the level
    const float before = static_cast<float>(counts[level]), after = static_cast<float>(count), all = before + after;
    const V share = V::set(after / all), weight = V::set(before / all * after);
    for (int j = 0; j < NV; ++j) {
      const V delta = m[j] - means[level][j];
      m[j] = fma(delta, share, means[level][j]);
      s[j] = fma(delta * delta, weight, sums[level][j] + s[j]);
    }
    count += counts[level];
  };
  const auto finite = [](V p) { return select(equal(p - p, V::zero()), p, V::zero()); };  // what isn't says nothing about other rows
  V m[NV], s[NV], pivot[NV];
  int64_t count = rows < 8 ? rows : 8;
  for (int j = 0; j < NV; ++j) {
    m[j] = V::zero();
    for (int64_t i = 0; i < count; ++i) m[j] = m[j] + part.load(x + i * ld + j * V::width);
    pivot[j] = finite(m[j] * V::set(1.0f / static_cast<float>(count)));
  }
  for (int64_t r = 0, n = 0; r < rows; r += kMomentRows, ++n) {
    const int64_t end = r + kMomentRows < rows ? r + kMomentRows : rows;
    const V inverse = V::set(1.0f / static_cast<float>(end - r));
    for (int j = 0; j < NV; ++j) m[j] = s[j] = V::zero();
    for (int64_t i = r; i < end; ++i) {
      if (ahead) fetch<V, NV>(x + (i + kRowsAhead) * ld);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        const V d = part.load(x + i * ld + j * V::width) - pivot[j];
        m[j] = m[j] + d;
        s[j] = fma(d, d, s[j]);
      }
    }
    for (int j = 0; j < NV; ++j) {
      const V shift = m[j] * inverse;
      s[j] = relu(fnma(shift, m[j], s[j]));  // not below 0 by rounding; NaN passes
      m[j] = pivot[j] + shift;
      pivot[j] = finite(m[j]);
    }
    count = end - r;
    top = merge_levels(top, n, [&](int level) { merge(m, s, count, level); });
    for (int j = 0; j < NV; ++j) means[top][j] = m[j], sums[top][j] = s[j];
    counts[top++] = count;
  }
  --top;
  for (int j = 0; j < NV; ++j) m[j] = means[top][j], s[j] = sums[top][j];
  count = counts[top];
  while (top > 0) merge(m, s, count, --top);
  for (int j = 0; j < NV; ++j) part.store(m[j], mean + j * V::width), part.store(s[j], squares + j * V::width);
}

template <class V>
void column_moments(const float* x, int64_t rows, int64_t columns, float* mean, float* squares) {
  int64_t j = 0;
  for (; j + 4 * V::width <= columns; j += 4 * V::width) column_moments_of<V, 4>(x + j, rows, columns, mean + j, squares + j, Whole<V>{});
  for_vectors<V>(columns - j, [&](int64_t i, auto part) {
    column_moments_of<V, 1>(x + j + i, rows, columns, mean + j + i, squares + j + i, part);
  });
}

// dy of a place, or 0 where the gate is shut.
template <bool Gated, class V>
inline V gated(V dy, V centered, V scale, V gate) {
  if (Gated) keep(dy);  // or it is a masked load that waits for the rest
  return Gated ? select(less(V::zero(), fma(centered, scale, gate)), dy, V::zero()) : dy;
}

// Sums of dy and of dy (x - mean): a chain over each leaf, leaves by a binary tree.
template <class V, bool Gated, int NV, class Part>
void column_products_of(const NormGradient& g, int64_t column, float* sums, float* products, Part part) {
  const float *dy = g.dy + column, *x = g.x + column;
  V levels[58][2][NV], center[NV], scale[NV], gate[NV];
  for (int j = 0; j < NV; ++j) {
    const int64_t at = column + j * V::width;
    center[j] = part.load(g.mean + at);
    scale[j] = Gated ? part.load(g.scale + at) : V::zero();
    gate[j] = Gated ? part.load(g.gate + at) : V::zero();
  }
  const bool ahead = g.columns > NV * V::width;
  int top = 0;
  for (int64_t r = 0, n = 0; r < g.rows; r += kMomentRows, ++n) {
    V s[NV], p[NV];
    for (int j = 0; j < NV; ++j) s[j] = p[j] = V::zero();
    const int64_t end = r + kMomentRows < g.rows ? r + kMomentRows : g.rows;
    for (int64_t i = r; i < end; ++i) {
      if (ahead) fetch<V, NV>(dy + (i + kRowsAhead) * g.columns), fetch<V, NV>(x + (i + kRowsAhead) * g.columns);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        const int64_t at = i * g.columns + j * V::width;
        const V centered = part.load(x + at) - center[j];
        const V d = gated<Gated>(part.load(dy + at), centered, scale[j], gate[j]);
        s[j] = s[j] + d;
        p[j] = fma(d, centered, p[j]);
      }
    }
    top = merge_levels(top, n, [&](int level) {
      for (int j = 0; j < NV; ++j) s[j] = levels[level][0][j] + s[j], p[j] = levels[level][1][j] + p[j];
    });
    for (int j = 0; j < NV; ++j) levels[top][0][j] = s[j], levels[top][1][j] = p[j];
    ++top;
  }
  for (int j = 0; j < NV; ++j) {
    V s = V::zero(), p = V::zero();
    for (int level = top; level > 0; --level) s = levels[level - 1][0][j] + s, p = levels[level - 1][1][j] + p;
    part.store(s, sums + column + j * V::width), part.store(p, products + column + j * V::width);
  }
}

template <class V, bool Gated>
void all_column_products(const NormGradient& g, float* sums, float* products) {
  int64_t j = 0;
  for (; j + 4 * V::width <= g.columns; j += 4 * V::width) column_products_of<V, Gated, 4>(g, j, sums, products, Whole<V>{});
  for_vectors<V>(g.columns - j, [&](int64_t i, auto part) { column_products_of<V, Gated, 1>(g, j + i, sums, products, part); });
}

template <class V>
void column_products(const NormGradient& g, float* sums, float* products) {
  if (g.gate != nullptr) {
    all_column_products<V, true>(g, sums, products);
  } else {
    all_column_products<V, false>(g, sums, products);
  }
}

template <class V>
void batch_norm(const float* x, const float* mean, const float* scale, const float* offset, const float* residual, int64_t rows, int64_t columns,
                Activation activation, bool stream, float* y) {
  with_activation<V>(activation, [&](auto f) {
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t at = r * columns;
      for_vectors<V>(columns, [&](int64_t j, auto part) {
        V value = fma(part.load(x + at + j) - part.load(mean + j), part.load(scale + j), part.load(offset + j));
        if (residual != nullptr) value = value + part.load(residual + at + j);
        put(stream, part, f(value), y + at + j);
      });
    }
  });
  if (stream) stream_fence();
}

template <class V, bool Gated>
void batch_norm_gradient(const NormGradient& g, const float* slope, const float* offset, float* dx) {
  for (int64_t r = 0; r < g.rows; ++r) {
    const int64_t at = r * g.columns;
    for_vectors<V>(g.columns, [&](int64_t j, auto part) {
      const V centered = part.load(g.x + at + j) - part.load(g.mean + j), scale = part.load(g.scale + j);
      const V d = gated<Gated>(part.load(g.dy + at + j), centered, scale, Gated ? part.load(g.gate + j) : V::zero());
      part.store(fma(d, scale, fma(centered, part.load(slope + j), part.load(offset + j))), dx + at + j);
    });
  }
}

template <class V>
void batch_norm_backward(const NormGradient& g, const float* slope, const float* offset, float* dx) {
  if (g.gate != nullptr) {
    batch_norm_gradient<V, true>(g, slope, offset, dx);
  } else {
    batch_norm_gradient<V, false>(g, slope, offset, dx);
  }
}

}  // namespace
}  // namespace convlane
