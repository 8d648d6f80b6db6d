// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions: one vector of channels sweeps along the width, the sums of some rows of taps in registers, the last columns of
// dy rolling through others.
#pragma once
#include "../cpu/kernel_table.h"
#include "depthwise.h"

namespace convlane {
namespace {

template <class V, int Taps, int Stride, int Rows, class Part>
CONVLANE_NOINLINE void depthwise_sums(const DepthwiseWeightsArgs& g, const DepthwiseWeightsRow* rows, int64_t c, Part part) {
  constexpr int kLive = (Taps + Stride - 1) / Stride;
  constexpr int64_t kColumns = 64;  // of one chain of sums, or up to twice as many
  V sums[Rows][Taps];
  auto clear = [&]() CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) sums[r][t] = V::zero();
    }
  };
  auto flush = [&]() CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
      float* to = rows[r].sums + c;
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, to += g.sums_step) part.store(part.load(to) + sums[r][t], to);
    }
  };
  clear();
  for (int64_t line = 0; line < g.lines; ++line) {
    const float* x[Rows];
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) x[r] = rows[r].x + line * g.x_line + c;
    const float* dy = g.dy + line * g.dy_line + c;
    constexpr int kNew = Rows < Stride ? Rows : Stride;
    DepthwiseAhead<V, kNew, Stride, false> x_next;
    CONVLANE_UNROLL for (int i = 0; i < kNew; ++i) x_next.at[i] = rows[Rows - kNew + i].x + line * g.x_line + g.x_ahead + c * g.source;
    const DepthwiseAhead<V, 1, 1, false> y_next{{g.dy + line * g.dy_line + g.dy_ahead + c * g.target}};
    for (int64_t from = 0; from < g.target;) {
      const int64_t to = g.target - from < 2 * kColumns ? g.target : from + kColumns;
      V d[kLive];
      CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) d[l] = V::zero();
      auto add = [&](int j, int64_t at, auto wanted) CONVLANE_INLINE_LAMBDA {
        CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
          V value = part.load(x[r] + at);
          keep(value);
          CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) {
            if (j + l * Stride < Taps && wanted(l)) sums[r][j + l * Stride] = fma(value, d[l], sums[r][j + l * Stride]);
          }
        }
      };
      auto next = [&]() CONVLANE_INLINE_LAMBDA {
        CONVLANE_UNROLL for (int l = kLive - 1; l > 0; --l) d[l] = d[l - 1];
      };
      auto at_edge = [&](int64_t q) CONVLANE_INLINE_LAMBDA {
        if (q < to) d[0] = part.load(dy + q * g.dy_step);
        CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) {
          const int64_t column = q * Stride - g.before + j;
          if (column >= 0 && column < g.source) add(j, column * g.x_step, [&](int l) { return q - l >= from && q - l < to; });
        }
        next();
      };
      const int64_t steps = to + kLive - 1;
      const int64_t inside = (g.before + Stride - 1) / Stride, live = from + kLive - 1;
      const int64_t first = between(from, inside > live ? inside : live, steps);
      const int64_t last = between(from, (g.source + g.before) / Stride, to);
      for (int64_t q = from; q < steps;) {  // one loop around both kinds of columns, so that each is there once: the edges' are 3 KB of code
        if (q < first || q >= last) {
          at_edge(q++);
          continue;
        }
        for (int64_t at = (q * Stride - g.before) * g.x_step, out = q * g.dy_step; q < last; ++q) {
          if (g.x_ahead != 0) {
            x_next.step(q);
            y_next.step(q);
          }
          d[0] = part.load(dy + out);
          CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) add(j, at + j * g.x_step, [](int) { return true; });
          next();
          at += Stride * g.x_step;
          out += g.dy_step;
        }
      }
      from = to;
      if (from < g.target) {
        flush();
        clear();
      }
    }
  }
  flush();
}

// As many rows together as registers have room for.
template <class V, int Taps, int Stride, int Rows, class Part>
inline void depthwise_sums_rows(const DepthwiseWeightsArgs& g, const DepthwiseWeightsRow* rows, int64_t count, int64_t c, Part part) {
  for (; count >= Rows; count -= Rows, rows += Rows) depthwise_sums<V, Taps, Stride, Rows>(g, rows, c, part);
  if constexpr (Rows > 1) {
    if (count > 0) depthwise_sums_rows<V, Taps, Stride, Rows - 1>(g, rows, count, c, part);
  }
}

template <class V, int Taps, int Stride, class Part>
void depthwise_sums_all(const DepthwiseWeightsArgs& g, int64_t c, Part part) {
  constexpr int kRoom = (V::registers - (Taps + Stride - 1) / Stride - 1) / Taps;
  depthwise_sums_rows<V, Taps, Stride, kRoom < 1 ? 1 : kRoom < Taps ? kRoom : Taps>(g, g.rows, g.row_count, c, part);
}

template <class V, class Part>
inline auto depthwise_sums_form(const DepthwiseWeightsArgs& g) {
  if (g.taps == 3) return g.stride == 1 ? depthwise_sums_all<V, 3, 1, Part> : depthwise_sums_all<V, 3, 2, Part>;
  if (g.taps == 5) return g.stride == 1 ? depthwise_sums_all<V, 5, 1, Part> : depthwise_sums_all<V, 5, 2, Part>;
  return g.stride == 1 ? depthwise_sums_all<V, 7, 1, Part> : depthwise_sums_all<V, 7, 2, Part>;
}

template <class V>
void depthwise_weights(const DepthwiseWeightsArgs& g) {
  int64_t c = 0;
  if constexpr (V::registers >= 32) {
    const auto wide = depthwise_sums_form<Wide<V>, Whole<Wide<V>>>(g);
    for (; c + Wide<V>::width <= g.channels; c += Wide<V>::width) wide(g, c, Whole<Wide<V>>{});
  }
  const auto single = depthwise_sums_form<V, Whole<V>>(g);
  for (; c + V::width <= g.channels; c += V::width) single(g, c, Whole<V>{});
  if (c < g.channels) depthwise_sums_form<V, Rest<V>>(g)(g, c, Rest<V>{static_cast<int>(g.channels - c)});
}

}  // namespace
}  // namespace convlane
