// SPDX-License-Identifier: MIT
// Weight gradients without a matrix product: the sums of a few taps in registers over a stretch of columns, the filters across the vector.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

// Rows x Taps sums over `count` columns from `first` on. Step > 0: columns are `Step` reaches apart.
template <class V, int Rows, int Taps, int Step, class Part>
inline void depthwise_line_sums(const DepthwiseLineWeightsArgs& g, const DepthwiseLineWeightsRow* rows, int64_t tap, int64_t first, int64_t count, int64_t c, Part part) {
  constexpr int U = Step > 0 ? 4 : 1;  // columns together
  const int64_t reach = g.reach, step = g.step, ldy = g.ldy;
  V sums[Rows][Taps];
  const float* x[Rows];
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) sums[r][t] = V::zero();
    x[r] = rows[r].x + g.x_offset + first * step + tap * reach + c;
  }
  const float* dy = g.dy + first * ldy + c;
  if (g.dy_ahead != 0) {
    const float* next = x[Rows - 1] + g.x_ahead;
    for (int64_t j = 0; j < (Step > 0 ? Step : 1) * count; ++j, next += Step > 0 ? reach : step) CONVLANE_PREFETCH(next);
    next = dy + g.dy_ahead;
    for (int64_t j = 0; j < count; ++j, next += ldy) CONVLANE_PREFETCH(next);
  }
  int64_t i = 0;
  if constexpr (Step > 0) {
    for (; i + U <= count; i += U) {
      V d[U];
      CONVLANE_UNROLL for (int u = 0; u < U; ++u, dy += ldy) {
        d[u] = part.load(dy);
        keep(d[u]);
      }
      CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
        const float* xj = x[r];
        CONVLANE_UNROLL for (int j = 0; j < (U - 1) * Step + Taps; ++j, xj += reach) {
          V value = part.load(xj);
          keep(value);
          CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) {
            if (j >= t && (j - t) % Step == 0 && (j - t) / Step < U) sums[r][t] = fma(value, d[(j - t) / Step], sums[r][t]);
          }
        }
        x[r] += U * step;
      }
    }
  }
  for (; i < count; ++i, dy += ldy) {
    V d = part.load(dy);
    keep(d);
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
      const float* xt = x[r];
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, xt += reach) sums[r][t] = fma(part.load(xt), d, sums[r][t]);
      x[r] += step;
    }
  }
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    float* to = rows[r].sums + g.sums_offset + tap * g.lds + c;
    CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, to += g.lds) part.store(part.load(to) + sums[r][t], to);
  }
}

template <class V, int Rows, int Taps, int Step>
CONVLANE_NOINLINE void depthwise_line_sums_tile(const DepthwiseLineWeightsArgs& g, const DepthwiseLineWeightsRow* rows, int64_t tap) {
  constexpr int64_t kColumns = 16;  // between loading and storing the sums: chains are short, and what is read again is near
  for (int64_t first = 0; first < g.columns;) {
    const int64_t rest = g.columns - first, count = rest < 2 * kColumns ? rest : kColumns;
    for_vectors<V>(g.channels, [&](int64_t c, auto part) { depthwise_line_sums<V, Rows, Taps, Step>(g, rows, tap, first, count, c, part); });
    first += count;
  }
}

// All taps of all rows, as many at once as registers hold.
template <class V, int Taps, int Step, int Most>
inline void depthwise_line_sums_rows(const DepthwiseLineWeightsArgs& g) {
  int64_t r = 0;
  if constexpr (Most >= 3) {
    for (; r + 3 <= g.row_count; r += 3) depthwise_line_sums_tile<V, 3, Taps, Step>(g, g.rows + r, 0);
  }
  for (; r + 2 <= g.row_count; r += 2) depthwise_line_sums_tile<V, 2, Taps, Step>(g, g.rows + r, 0);
  for (; r < g.row_count; ++r) depthwise_line_sums_tile<V, 1, Taps, Step>(g, g.rows + r, 0);
}

template <class V>
void depthwise_line_weights(const DepthwiseLineWeightsArgs& g) {
  const bool neighbours = g.step == g.reach, every_other = g.step == 2 * g.reach;
  if (g.taps == 3 && neighbours) return depthwise_line_sums_rows<V, 3, 1, 3>(g);
  if (g.taps == 3 && every_other) return depthwise_line_sums_rows<V, 3, 2, 3>(g);
  if (g.taps == 5 && neighbours) return depthwise_line_sums_rows<V, 5, 1, 2>(g);
  if (g.taps == 5 && every_other) return depthwise_line_sums_rows<V, 5, 2, 2>(g);
  for (int64_t r = 0; r < g.row_count; ++r) {
    for (int64_t t = 0; t < g.taps;) {
      const int64_t rest = g.taps - t, together = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
      switch (together) {
        case 8: depthwise_line_sums_tile<V, 1, 8, 0>(g, g.rows + r, t); break;
        case 4: depthwise_line_sums_tile<V, 1, 4, 0>(g, g.rows + r, t); break;
        case 2: depthwise_line_sums_tile<V, 1, 2, 0>(g, g.rows + r, t); break;
        default: depthwise_line_sums_tile<V, 1, 1, 0>(g, g.rows + r, t); break;
      }
      t += together;
    }
  }
}

}  // namespace
}  // namespace convlane
