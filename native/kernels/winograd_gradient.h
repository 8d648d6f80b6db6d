// SPDX-License-Identifier: MIT
// Winograd's gradient by the filters: points of x and dy in lines of 16 channels, tile after tile, so that a product's operands are read strictly in order.
#pragma once
#include "../cpu/kernel_table.h"
#include "winograd.h"

namespace convlane {
namespace {

constexpr int kLine = 16;  // channels

// out = L in L^T as both_sides, some rows of it at a time, so that what lies between the two sides stays in registers.
template <class V, class L, int First, int Last, class Load, class Store>
inline void rows_of_both_sides(const Load& load, const Store& store, const WinogradNeeds& needs) {
  V half[Last - First][L::from];
  CONVLANE_UNROLL for (int j = 0; j < L::from; ++j) {
    V column[L::from], out[L::to];
    CONVLANE_UNROLL for (int i = 0; i < L::from; ++i) column[i] = load(i, j);
    L::apply(column, out);
    CONVLANE_UNROLL for (int i = First; i < Last; ++i) half[i - First][j] = out[i];
  }
  CONVLANE_UNROLL for (int i = First; i < Last; ++i) {
    if (!has_row<L::to>(needs, i)) continue;
    V out[L::to];
    L::apply(half[i - First], out);
    CONVLANE_UNROLL for (int j = 0; j < L::to; ++j) {
      if (has_column<L::to>(needs, j)) store(i, j, out[j]);
    }
  }
}

template <class V, class L, class Load, class Store>
inline void in_registers(const Load& load, const Store& store, const WinogradNeeds& needs = kAllNeeded) {
  if constexpr (V::registers < 32) {
    both_sides<V, L>(load, store, needs);
  } else if constexpr (L::to <= 4 && L::to * L::from <= 24) {
    rows_of_both_sides<V, L, 0, L::to>(load, store, needs);
  } else if constexpr (L::to <= 6) {
    rows_of_both_sides<V, L, 0, 3>(load, store, needs);
    rows_of_both_sides<V, L, 3, L::to>(load, store, needs);
  } else {
    rows_of_both_sides<V, L, 0, 3>(load, store, needs);
    rows_of_both_sides<V, L, 3, 5>(load, store, needs);
    rows_of_both_sides<V, L, 5, 8>(load, store, needs);
  }
}

// m: columns from a tile to its neighbour, whose pixels are fetched while this one's are transformed.
template <class V, class L, int m>
CONVLANE_NOINLINE void winograd_lines(const WinogradLines& t) {
  constexpr int from = L::from, to = L::to;
  const int64_t step = t.step;
  const float* pixels[from * from];
  const WinogradNeeds needs = t.needs;
  for (int i = 0; i < from * from; ++i) pixels[i] = t.pixels[i];
  int64_t c = 0;
  for (; c < t.channels; c += V::width) {
    float* line = t.to + c / kLine * t.group + c % kLine;
    if (t.ahead > 0 && c % kLine == 0) {
      CONVLANE_UNROLL for (int i = 0; i < from; ++i) {
        CONVLANE_UNROLL for (int j = from - m; j < from; ++j) CONVLANE_PREFETCH(pixels[i * from + j] + t.ahead + c);
      }
    }
    const auto put = [&](int i, int j, V x) { x.store(line + (i * to + j) * step); };
    if (c + V::width <= t.channels) {
      in_registers<V, L>([&](int i, int j) { return V::load(pixels[i * from + j] + c); }, put, needs);
    } else {
      const int rest = static_cast<int>(t.channels - c);
      both_sides<V, L>([&](int i, int j) { return V::load(pixels[i * from + j] + c, rest); }, put, needs);
    }
  }
  for (; c % kLine != 0; c += V::width) {
    float* line = t.to + c / kLine * t.group + c % kLine;
    for (int i = 0; i < to * to; ++i) V::zero().store(line + i * step);
  }
}

// M rows x NV vectors of a product, over `tiles` tiles. Rows c .. c + M - 1 of a.
template <class V, int M, int NV>
inline void product_tile(const WinogradProduct& g, const float* a, const float* b, int64_t tiles, int64_t c, float* to, bool accumulate, const float* next,
                         const float* soon) {
  constexpr bool near = kLine % M == 0;  // all rows in one line
  const float* row[M];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) row[i] = near ? a + c / kLine * g.a_group + c % kLine + i : a + (c + i) / kLine * g.a_group + (c + i) % kLine;
  const float* column[NV];
  CONVLANE_UNROLL for (int j = 0; j < NV; ++j) column[j] = b + j * V::width / kLine * g.b_group + j * V::width % kLine;
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  if (accumulate) {
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) CONVLANE_PREFETCH_NEAR(to + i * g.ld);
  }
  const int64_t next_step = g.next_step;
  for (int64_t t = 0; t < tiles * kLine; t += kLine, next += next_step) {
    CONVLANE_PREFETCH(next);
    CONVLANE_PREFETCH(soon + t);
    V bt[NV];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      bt[j] = V::load(column[j] + t);
      keep(bt[j]);
    }
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      const auto at = V::factor(near ? row[0] + t + i : row[i] + t);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(at, bt[j], sums[i][j]);
    }
  }
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      float* at = to + i * g.ld + j * V::width;
      (accumulate ? sums[i][j] + V::load(at) : sums[i][j]).store(at);
    }
  }
}

// All rows of NV vectors of columns: tiles of M rows, then of 4.
template <class V, int M, int NV>
CONVLANE_NOINLINE void product_columns(const WinogradProduct& g, const float* a, const float* b, int64_t tiles, float* to, bool accumulate, const float*& next) {
  int64_t full = g.rows / M;
  while ((g.rows - full * M) % 4 != 0) --full;
  int64_t c = 0, number = 0;
  // Lines that are read soon: the other groups of this point's rows, the columns of the next point, its first group of rows.
  const int64_t groups = (g.rows + kLine - 1) / kLine;
  const auto soon = [&]() -> const float* {
    const int64_t i = ++number;
    if (i < groups) return a + i * g.a_group;
    if (i - groups < NV * V::width / kLine) return b + g.point_step + (i - groups) * g.b_group;
    return a + g.point_step;
  };
  for (; c < full * M; c += M, next += tiles * g.next_step) product_tile<V, M, NV>(g, a, b, tiles, c, to + c * g.ld, accumulate, next, soon());
  for (; c < g.rows; c += 4, next += tiles * g.next_step) product_tile<V, 4, NV>(g, a, b, tiles, c, to + c * g.ld, accumulate, next, soon());
}

template <class V>
void winograd_product(const WinogradProduct& g) {
  constexpr int vectors = V::width == kLine ? 2 : V::vectors, rows = V::width == kLine ? 8 : V::rows[vectors], width = vectors * V::width;
  constexpr int rows_of_one = V::width == kLine ? 16 : V::rows[1];
  const float* next = g.next;
  for (int64_t t = 0; t < g.tiles; t += g.part) {
    const int64_t tiles = g.part < g.tiles - t ? g.part : g.tiles - t;
    const float *a = g.a + t * kLine, *b = g.b + t * kLine;
    int64_t j = 0;
    for (; j + width <= g.columns; j += width) {
      product_columns<V, rows, vectors>(g, a, b + j / kLine * g.b_group + j % kLine, tiles, g.to + j, t > 0, next);
    }
    for (; j < g.columns; j += V::width) {
      product_columns<V, rows_of_one, 1>(g, a, b + j / kLine * g.b_group + j % kLine, tiles, g.to + j, t > 0, next);
    }
  }
}

template <class V, class L>
CONVLANE_NOINLINE void winograd_taps(const WinogradTaps& f) {
  constexpr int from = L::from, to = L::to;
  for (int64_t row = 0; row < f.rows; ++row) {
    const float* points = f.from + row * f.from_row;
    float* taps = f.to + row * f.to_row;
    const auto collect = [&](int64_t c, auto store) { in_registers<V, L>([&](int i, int j) { return V::load(points + (i * from + j) * f.from_step + c); }, store); };
    for_vectors<V>(f.columns, [&](int64_t c, auto part) {
      const auto place = [&](int i, int j) { return taps + (i * to + j) * f.to_step + c; };
      if (f.accumulate) {
        collect(c, [&](int i, int j, V x) { part.store(part.load(place(i, j)) + x, place(i, j)); });
      } else if (f.stream) {
        collect(c, [&](int i, int j, V x) { x.stream(place(i, j)); });
      } else {
        collect(c, [&](int i, int j, V x) { part.store(x, place(i, j)); });
      }
    });
  }
  if (f.stream) stream_fence();
}

template <class V, int m, int r>
constexpr WinogradGradient winograd_gradient() {
  constexpr int n = m + r - 1;
  return {winograd_lines<V, ToPoints<V, n>, m>, winograd_lines<V, Evaluate<V, n, m, false>, m>, winograd_taps<V, Collect<V, n, r, true>>};
}

}  // namespace
}  // namespace convlane
