// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions with windows of 3 x 3, tile by tile: two lines of dy and a few columns, many channels of a tile before the next
// one, so that pixels are read in the order in which they lie in memory. The sums of a strip lie near, vector by vector.
#pragma once
#include "../cpu/kernel_table.h"

namespace convlane {
namespace {

constexpr int64_t kStripChannels = 256;  // whose sums the first cache holds beside what a tile reads
// Columns of dy in a tile. NEON starts four instructions in a cycle, of which loads and stores of the sums would be most with two.
template <class V>
constexpr int kStripColumns = V::width == 4 ? 4 : 2;

// Sums of a vector of channels: of what a strip's tiles had so far, none before the first one. Those of the last one go to the result.
template <class V>
CONVLANE_INLINE void begin_strip_sums(bool begins, const float* part, V* sums) {
  CONVLANE_UNROLL for (int t = 0; t < kDepthwiseStripSums; ++t) sums[t] = begins ? V::zero() : V::load(part + t * V::width);
}
template <class V>
CONVLANE_INLINE void end_strip_sums(bool ends, bool totals, float* result, float* part, V* sums) {
  if (ends) {
    CONVLANE_UNROLL for (int t = 0; t < kDepthwiseStripSums; ++t) {
      const V sum = V::load(result + t * V::width);
      sums[t] = t < 9 || totals ? sums[t] + sum : sum;
    }
  }
  float* to = ends ? result : part;
  CONVLANE_UNROLL for (int t = 0; t < kDepthwiseStripSums; ++t) sums[t].store(to + t * V::width);
}

// Tiles of columns of dy from `column` to `end`, of channels from `first` to `last`. Inner: all columns and both lines lie inside, and the tiles are neither the
// first nor the last ones of a strip: a quarter less time than with these questions asked. Whether a row lies inside is asked all the same, but where the next
// ones are fetched: 5 to 10 % less where maps are small, 3 % more where they are large.
template <class V, int Stride, bool Inner, bool Fetches>
CONVLANE_NOINLINE void depthwise_strip_tiles(const DepthwiseStripArgs& g, int64_t column, int64_t end, int64_t first, int64_t last, float* parts) {
  constexpr int kLines = kDepthwiseStripLines, kColumns = kStripColumns<V>, kRows = (kLines - 1) * Stride + 3, kReach = (kColumns - 1) * Stride + 3;
  const int64_t step = g.step, x_line = g.x_line, dy_line = g.dy_line, most = g.channels - V::width;
  const uint32_t rows = g.rows;
  const bool fetches = Inner ? Fetches : g.fetches, both = g.lines == kLines;
  for (; column < end; column += kColumns) {
    const int64_t start = column * Stride - g.before, low = -start, high = g.source - start;
    const bool begins = !Inner && column == 0, ends = !Inner && column + kColumns >= g.target;
    bool there[kLines][kColumns];
    CONVLANE_UNROLL for (int i = 0; i < kLines * kColumns; ++i) {
      there[i / kColumns][i % kColumns] = Inner || ((i < kColumns || both) && column + i % kColumns < g.target);
    }
    const float* const x0 = g.x + start * step;
    const float* const d0 = g.dy + column * step;
    float* part = parts;
    for (int64_t at = first; at < last; at += V::width, part += kDepthwiseStripSums * V::width) {
      const int64_t c = at < most ? at : most;
      V sums[kDepthwiseStripSums], values[kLines][kColumns];
      begin_strip_sums(begins, part, sums);
      const float *d = d0 + c, *x = x0 + c;
      if (V::width == 4) {  // without indices times four each address would be computed from its beginnings
        CONVLANE_OPAQUE(d);
        CONVLANE_OPAQUE(x);
      }
      CONVLANE_UNROLL for (int l = 0; l < kLines; ++l, d += dy_line) {
        CONVLANE_UNROLL for (int i = 0; i < kColumns; ++i) {
          values[l][i] = V::zero();
          if (!there[l][i]) continue;
          values[l][i] = V::load(d + i * step);
          keep(values[l][i]);
          sums[9] = sums[9] + values[l][i];
          if (fetches) CONVLANE_PREFETCH(d + kLines * dy_line + i * step);
        }
      }
      CONVLANE_UNROLL for (int r = 0; r < kRows; ++r, x += x_line) {
        if (fetches && r >= kRows - kLines * Stride) {
          CONVLANE_UNROLL for (int j = 0; j < kColumns * Stride; ++j) CONVLANE_PREFETCH(x + kLines * Stride * x_line + j * step);
        }
        if (!(Inner && Fetches) && (rows >> r & 1) == 0) continue;
        CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) {
          if (!Inner && (j < low || j >= high)) continue;
          V value = V::load(x + j * step);
          keep(value);
          CONVLANE_UNROLL for (int l = 0; l < kLines; ++l) {
            const int t = r - l * Stride;
            if (t < 0 || t > 2) continue;
            CONVLANE_UNROLL for (int i = 0; i < kColumns; ++i) {
              const int u = j - i * Stride;
              if (u >= 0 && u <= 2 && there[l][i]) sums[t * 3 + u] = fma(value, values[l][i], sums[t * 3 + u]);
            }
          }
        }
      }
      end_strip_sums(ends, g.totals, g.sums + at * kDepthwiseStripSums, part, sums);
    }
  }
}

template <class V, int Stride>
inline void depthwise_strip_columns(const DepthwiseStripArgs& g) {
  constexpr uint32_t kAllRows = (1u << ((kDepthwiseStripLines - 1) * Stride + 3)) - 1;
  constexpr int64_t kColumns = kStripColumns<V>, kReach = (kColumns - 1) * Stride + 3;
  alignas(64) float parts[kStripChannels * kDepthwiseStripSums];
  int64_t inside = kColumns;  // from there to `outside` they are inner ones
  while (inside < g.target && inside * Stride < g.before) inside += kColumns;
  int64_t outside = inside;
  while ((g.rows == kAllRows || !g.fetches) && g.lines == kDepthwiseStripLines && outside + kColumns < g.target && outside * Stride - g.before + kReach <= g.source) outside += kColumns;
  for (int64_t first = 0; first < g.channels; first += kStripChannels) {
    const int64_t last = first + kStripChannels < g.channels ? first + kStripChannels : g.channels;
    depthwise_strip_tiles<V, Stride, false, false>(g, 0, inside, first, last, parts);
    if (g.fetches) {
      depthwise_strip_tiles<V, Stride, true, true>(g, inside, outside, first, last, parts);
    } else {
      depthwise_strip_tiles<V, Stride, true, false>(g, inside, outside, first, last, parts);
    }
    depthwise_strip_tiles<V, Stride, false, false>(g, outside, g.target, first, last, parts);
  }
}

template <class V>
void depthwise_strip_weights(const DepthwiseStripArgs& g) {
  if (g.stride == 1) {
    depthwise_strip_columns<V, 1>(g);
  } else {
    depthwise_strip_columns<V, 2>(g);
  }
}

}  // namespace
}  // namespace convlane
