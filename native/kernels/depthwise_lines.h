// SPDX-License-Identifier: MIT
// Depthwise convolution: the channels of the target across the vector, each reading its own channel of the source, columns of the target in registers. Taps
// are loaded once for a tile of columns, and what a tile reads of its source once for all taps of a row.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"

namespace convlane {
namespace {

// Whether tiles take columns that reach past an edge among the others: worth its code where windows are wide.
template <class V, int Taps, int Step>
constexpr bool kWholeLines = V::width > 1 && (Taps == 5 || Taps == 7) && Step == 1;

// Most columns of such a tile: the sums of 8 wait for each other.
template <class V>
constexpr int kMostColumns = V::registers >= 32 ? 14 : 8;

// One tile of `T` columns from `first` on, all lines, all channels. Taps > 0: so many, `Step` reaches from column to column.
template <class V, int T, int Taps, int Step, class Part>
inline void depthwise_line_lines(const DepthwiseLinesArgs& g, int64_t first, int64_t c, Part part) {
  const int64_t x_offset = g.x_offset + first * g.step + c, w_offset = g.w_offset + c;
  const int64_t reach = g.reach, step = g.step, ldw = g.ldw, low = g.low - first, high = g.high - first;
  for (int64_t l = 0; l < g.line_count; ++l) {
    const DirectLine& line = g.lines[l];
    V sums[T];
    CONVLANE_UNROLL for (int i = 0; i < T; ++i) sums[i] = V::zero();
    if (g.y_ahead != 0 && line.row_count > 0) {
      const float* x = line.rows[line.row_count - 1].x + x_offset + g.x_ahead;
      constexpr int kPixels = T * (Step > 0 ? Step : 1);
      CONVLANE_UNROLL for (int j = 0; j < kPixels; ++j, x += Step > 0 ? reach : step) CONVLANE_PREFETCH(x);
      const float* y = line.y + g.y_offset + first * g.ldy + c + g.y_ahead;
      CONVLANE_UNROLL for (int i = 0; i < T; ++i, y += g.ldy) CONVLANE_PREFETCH_WRITE(y);
    }
    for (int64_t r = 0; r < line.row_count; ++r) {
      const float* x = line.rows[r].x + x_offset;
      const float* w = line.rows[r].w + w_offset;
      if constexpr (Taps > 0) {
        V taps[Taps];
        CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) {
          taps[t] = part.load(w + t * ldw);
          keep(taps[t]);
        }
        CONVLANE_UNROLL for (int j = 0; j < (T - 1) * Step + Taps; ++j, x += reach) {
          if (kWholeLines<V, Taps, Step> && (j < low || j >= high)) continue;
          V xj = part.load(x);
          keep(xj);
          CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) {
            if (j >= t && (j - t) % Step == 0 && (j - t) / Step < T) sums[(j - t) / Step] = fma(xj, taps[t], sums[(j - t) / Step]);
          }
        }
      } else {
        for (int64_t t = 0; t < g.taps; ++t, x += reach, w += ldw) {
          V tap = part.load(w);
          keep(tap);
          const float* xi = x;
          CONVLANE_UNROLL for (int i = 0; i < T; ++i, xi += step) sums[i] = fma(part.load(xi), tap, sums[i]);
        }
      }
    }
    const bool relu_now = g.activation == Activation::relu;
    float* y = line.y + g.y_offset + first * g.ldy + c;
    const V bias = g.bias == nullptr ? V::zero() : part.load(g.bias + c);
    CONVLANE_UNROLL for (int i = 0; i < T; ++i, y += g.ldy) {
      V s = sums[i];
      if (g.bias != nullptr) s = s + bias;
      if (relu_now) s = relu(s);
      part.store(s, y);
    }
  }
}

// Channels in vectors; the last one overlaps the one before, where there are that many: the same sums are written twice.
template <class V, int T, int Taps, int Step>
CONVLANE_NOINLINE void depthwise_line_tile(const DepthwiseLinesArgs& g, int64_t first) {
  if (g.channels < V::width) return depthwise_line_lines<V, T, 0, 0>(g, first, 0, Rest<V>{static_cast<int>(g.channels)});
  for (int64_t c = 0; c < g.channels; c += V::width) {
    depthwise_line_lines<V, T, Taps, Step>(g, first, c + V::width <= g.channels ? c : g.channels - V::width, Whole<V>{});
  }
}

// One column at a time: what hides the latency of its sums is several vectors of channels.
template <class V, int Vectors>
CONVLANE_NOINLINE void depthwise_line_column(const DepthwiseLinesArgs& g, int64_t column) {
  constexpr int64_t block = Vectors * V::width;
  const bool relu_now = g.activation == Activation::relu;
  for (int64_t at = 0; at < g.channels; at += block) {
    const int64_t c = at + block <= g.channels ? at : g.channels - block;
    for (int64_t l = 0; l < g.line_count; ++l) {
      const DirectLine& line = g.lines[l];
      V sums[Vectors];
      CONVLANE_UNROLL for (int j = 0; j < Vectors; ++j) sums[j] = V::zero();
      for (int64_t r = 0; r < line.row_count; ++r) {
        const float* x = line.rows[r].x + g.x_offset + column * g.step + c;
        const float* w = line.rows[r].w + g.w_offset + c;
        for (int64_t t = 0; t < g.taps; ++t, x += g.reach, w += g.ldw) {
          CONVLANE_UNROLL for (int j = 0; j < Vectors; ++j) {
            sums[j] = fma(V::load(x + j * V::width), V::load(w + j * V::width), sums[j]);
          }
        }
      }
      float* y = line.y + g.y_offset + column * g.ldy + c;
      CONVLANE_UNROLL for (int j = 0; j < Vectors; ++j) {
        V s = sums[j];
        if (g.bias != nullptr) s = s + V::load(g.bias + c + j * V::width);
        if (relu_now) s = relu(s);
        s.store(y + j * V::width);
      }
    }
  }
}

template <class V>
inline void depthwise_line_column_of(const DepthwiseLinesArgs& g, int64_t column) {
  if (g.channels >= 4 * V::width) return depthwise_line_column<V, 4>(g, column);
  if (g.channels >= 2 * V::width) return depthwise_line_column<V, 2>(g, column);
  depthwise_line_tile<V, 1, 0, 0>(g, column);
}

// Columns of the next tile.
template <class V, int Taps, int Step>
inline int64_t depthwise_line_columns_of(int64_t rest) {
  constexpr int64_t most = kMostColumns<V>;
  constexpr bool whole = kWholeLines<V, Taps, Step>;
  if (whole && rest == 7) return 7;
  if (whole && most > 8 && rest > 4) {  // as few tiles as can be, of one size but for the last, all even
    const int64_t tiles = (rest + most - 1) / most, columns = (rest + tiles - 1) / tiles;
    return columns + columns % 2;
  }
  return rest >= 13 || rest == 7 || rest == 8 ? 8 : rest >= 5 ? 6 : 4;
}

// A tile may overlap the one before it rather than leave single columns over.
template <class V, int Taps, int Step>
void depthwise_line_columns(const DepthwiseLinesArgs& g) {
  constexpr bool whole = kWholeLines<V, Taps, Step>, tall = whole && kMostColumns<V> > 8;
  for (int64_t first = 0; first < g.columns;) {
    const int64_t rest = g.columns - first;
    int64_t tile = depthwise_line_columns_of<V, Taps, Step>(rest);
    while (tile > 1 && tile > rest + first) tile = tile > 4 ? tile - 2 : 1;
    if (tile > rest) first -= tile - rest;
    switch (tile) {
      case 14: depthwise_line_tile<V, tall ? 14 : 8, Taps, Step>(g, first); break;
      case 12: depthwise_line_tile<V, tall ? 12 : 8, Taps, Step>(g, first); break;
      case 10: depthwise_line_tile<V, tall ? 10 : 8, Taps, Step>(g, first); break;
      case 8: depthwise_line_tile<V, 8, Taps, Step>(g, first); break;
      case 7: depthwise_line_tile<V, whole ? 7 : 8, Taps, Step>(g, first); break;
      case 6: depthwise_line_tile<V, 6, Taps, Step>(g, first); break;
      case 4: depthwise_line_tile<V, 4, Taps, Step>(g, first); break;
      default:
        depthwise_line_column_of<V>(g, first);
    }
    first += tile;
  }
}

template <class V>
void depthwise_lines(const DepthwiseLinesArgs& g) {
  const bool neighbours = g.step == g.reach, every_other = g.step == 2 * g.reach;
  if (g.taps == 1) {
    DepthwiseLinesArgs one = g;
    one.reach = one.step;
    depthwise_line_columns<V, 1, 1>(one);
  } else if (g.taps == 2 && neighbours) {
    depthwise_line_columns<V, 2, 1>(g);
  } else if (g.taps == 3 && neighbours) {
    depthwise_line_columns<V, 3, 1>(g);
  } else if (g.taps == 3 && every_other) {
    depthwise_line_columns<V, 3, 2>(g);
  } else if (g.taps == 4 && neighbours) {
    depthwise_line_columns<V, 4, 1>(g);
  } else if (g.taps == 5 && neighbours) {
    depthwise_line_columns<V, 5, 1>(g);
  } else if (g.taps == 5 && every_other) {
    depthwise_line_columns<V, 5, 2>(g);
  } else if (kWholeLines<V, 7, 1> && g.taps == 7 && neighbours) {
    depthwise_line_columns<V, kWholeLines<V, 7, 1> ? 7 : 0, kWholeLines<V, 7, 1>>(g);
  } else {
    depthwise_line_columns<V, 0, 0>(g);
  }
  if (g.activation == Activation::linear || g.activation == Activation::relu) return;
  for (int64_t l = 0; l < g.line_count; ++l) {
    float* y = g.lines[l].y + g.y_offset;
    for (int64_t i = 0; i < g.columns; ++i, y += g.ldy) activate<V>(g.activation, y, y, g.channels);
  }
}

}  // namespace
}  // namespace convlane
