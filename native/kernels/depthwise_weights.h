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
  V sums[Rows][Taps];
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) sums[r][t] = V::zero();
  }
  // Columns of dy from first to last have all columns of x inside that they enter with: columns of x from `left` on, swept with them.
  const int64_t inside = (g.before + Stride - 1) / Stride;
  const int64_t first = kLive - 1 > inside ? kLive - 1 : inside;
  const int64_t last = between(first, (g.source + g.before) / Stride, g.target < first ? first : g.target);
  const int64_t left = last > first ? first * Stride - g.before : g.source;
  for (int64_t line = 0; line < g.lines; ++line) {
    const float* x[Rows];
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) x[r] = rows[r].x + line * g.x_line + c;
    const float* dy = g.dy + line * g.dy_line + c;
    constexpr int kNew = Rows < Stride ? Rows : Stride;
    DepthwiseAhead<V, kNew, Stride, false> x_next;
    CONVLANE_UNROLL for (int i = 0; i < kNew; ++i) x_next.at[i] = rows[Rows - kNew + i].x + line * g.x_line + g.x_ahead + c * g.source;
    const DepthwiseAhead<V, 1, 1, false> y_next{{g.dy + line * g.dy_line + g.dy_ahead + c * g.target}};
    auto sweep = [&]() CONVLANE_INLINE_LAMBDA {
      V d[kLive];
      CONVLANE_UNROLL for (int l = 1; l < kLive; ++l) d[l - 1] = part.load(dy + (first - l) * g.dy_step);
      for (int64_t q = first, at = left * g.x_step; q < last; ++q, at += Stride * g.x_step) {
        if (g.x_ahead != 0) {
          x_next.step(q);
          y_next.step(q);
        }
        CONVLANE_UNROLL for (int l = kLive - 1; l > 0; --l) d[l] = d[l - 1];
        d[0] = part.load(dy + q * g.dy_step);
        CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) {
          CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
            V value = part.load(x[r] + at + j * g.x_step);
            keep(value);
            CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) {
              if (j + l * Stride < Taps) sums[r][j + l * Stride] = fma(value, d[l], sums[r][j + l * Stride]);
            }
          }
        }
      }
    };
    for (int64_t column = 0; column < g.source; ++column) {  // one loop around columns at both edges, so that their code is there once
      if (column == left) {
        sweep();
        column += (last - first) * Stride;
        if (column == g.source) break;
      }
      V values[Rows];
      CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) values[r] = part.load(x[r] + column * g.x_step);
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) {
        const int64_t at = column + g.before - t;
        if (at < 0 || at % Stride != 0 || at / Stride >= g.target) continue;
        const V d = part.load(dy + at / Stride * g.dy_step);
        CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) sums[r][t] = fma(values[r], d, sums[r][t]);
      }
    }
  }
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    float* to = rows[r].sums + c;
    CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, to += g.sums_step) part.store(part.load(to) + sums[r][t], to);
  }
}

// As many rows together as registers have room for, but fewer where it matters little: code has a size, too.
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
  constexpr int kMost = Part::is_whole ? 3 : 2;
  depthwise_sums_rows<V, Taps, Stride, kRoom < 1 ? 1 : kRoom < kMost ? kRoom : kMost>(g, g.rows, g.row_count, c, part);
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
