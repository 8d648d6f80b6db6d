// SPDX-License-Identifier: MIT
// Depthwise convolution with windows of 3 x 3, tile by tile: two lines of the target and a few columns, many channels of a tile before the next one, so that
// pixels are read in the order in which they lie in memory. Weights lie packed, vector by vector.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"
#include "loop.h"

namespace convlane {
namespace {

// Columns of the target in a tile. NEON starts four instructions in a cycle, of which loads would be most with two.
template <class V>
constexpr int kTileColumns = V::width == 4 ? 4 : 2;

// Tiles of columns from `column` to `end`. Inner: all columns and both lines lie inside. That is not asked then, nor whether to fetch: a quarter less time. Whether a
// row lies inside is asked all the same: for tiles of the first and last lines to be inner ones takes 1 to 10 % less.
template <class V, int Stride, bool Inner, bool Fetches>
CONVLANE_NOINLINE void depthwise_tile_columns(const DepthwiseTilesArgs& g, int64_t column, int64_t end) {
  constexpr int kLines = kDepthwiseTileLines, kColumns = kTileColumns<V>, kRows = (kLines - 1) * Stride + 3, kReach = (kColumns - 1) * Stride + 3;
  const int64_t channels = g.channels, most = channels - V::width, step = g.step, x_line = g.x_line, y_line = g.y_line;
  const uint32_t rows = g.rows;
  const bool relu_now = g.activation == Activation::relu, streams = g.streams, fetches = Inner ? Fetches : g.fetches;
  for (; column < end; column += kColumns) {
    const int64_t start = column * Stride - g.before, low = -start, high = g.source - start;
    const float* const x0 = g.x + start * step;
    float* const y0 = g.y + column * step;
    const float* w = g.w;
    for (int64_t at = 0; at < channels; at += V::width, w += kDepthwiseTileWeights * V::width) {
      const int64_t c = at < most ? at : most;
      V sums[kLines * kColumns], taps[9];
      CONVLANE_UNROLL for (int i = 0; i < kLines * kColumns; ++i) sums[i] = V::load(w + 9 * V::width);
      CONVLANE_UNROLL for (int t = 0; t < 9; ++t) {
        taps[t] = V::load(w + t * V::width);
        keep(taps[t]);
      }
      const float* x = x0 + c;
      CONVLANE_OPAQUE(x);  // or each address is computed from its beginnings
      CONVLANE_UNROLL for (int r = 0; r < kRows; ++r, x += x_line) {
        if (fetches && r >= kRows - kLines * Stride) {
          CONVLANE_UNROLL for (int j = 0; j < kColumns * Stride; ++j) CONVLANE_PREFETCH(x + kLines * Stride * x_line + j * step);
        }
        if ((rows >> r & 1) == 0) continue;
        CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) {
          if (!Inner && (j < low || j >= high)) continue;
          V value = V::load(x + j * step);
          keep(value);
          CONVLANE_UNROLL for (int l = 0; l < kLines; ++l) {
            const int t = r - l * Stride;
            if (t < 0 || t > 2) continue;
            CONVLANE_UNROLL for (int i = 0; i < kColumns; ++i) {
              const int u = j - i * Stride;
              if (u >= 0 && u <= 2) sums[l * kColumns + i] = fma(value, taps[t * 3 + u], sums[l * kColumns + i]);
            }
          }
        }
      }
      if (relu_now) {
        CONVLANE_UNROLL for (int i = 0; i < kLines * kColumns; ++i) sums[i] = relu(sums[i]);
      }
      float* y = y0 + c;
      CONVLANE_OPAQUE(y);
      CONVLANE_UNROLL for (int l = 0; l < kLines; ++l, y += y_line) {
        CONVLANE_UNROLL for (int i = 0; i < kColumns; ++i) {
          if (!Inner && (l >= g.lines || column + i >= g.target)) continue;
          put(streams, Whole<V>{}, sums[l * kColumns + i], y + i * step);
        }
      }
    }
  }
}

template <class V, int Stride>
inline void depthwise_tile_lines(const DepthwiseTilesArgs& g) {
  constexpr int64_t kColumns = kTileColumns<V>, kReach = (kColumns - 1) * Stride + 3;
  int64_t inside = 0;  // from there to `outside` tiles are inner ones
  while (inside < g.target && inside * Stride < g.before) inside += kColumns;
  int64_t outside = inside;
  const bool whole = g.lines == kDepthwiseTileLines;
  while (whole && outside + kColumns <= g.target && outside * Stride - g.before + kReach <= g.source) outside += kColumns;
  depthwise_tile_columns<V, Stride, false, false>(g, 0, inside);
  if (g.fetches) {
    depthwise_tile_columns<V, Stride, true, true>(g, inside, outside);
  } else {
    depthwise_tile_columns<V, Stride, true, false>(g, inside, outside);
  }
  depthwise_tile_columns<V, Stride, false, false>(g, outside, g.target);
}

template <class V>
void depthwise_tiles(const DepthwiseTilesArgs& g) {
  if (g.stride == 1) {
    depthwise_tile_lines<V, 1>(g);
  } else {
    depthwise_tile_lines<V, 2>(g);
  }
  if (g.activation == Activation::linear || g.activation == Activation::relu) return;
  for (int64_t l = 0; l < g.lines; ++l) {
    float* y = g.y + l * g.y_line;
    for (int64_t i = 0; i < g.target; ++i, y += g.step) activate<V>(g.activation, y, y, g.channels);
  }
}

}  // namespace
}  // namespace convlane
