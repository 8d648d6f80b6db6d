// SPDX-License-Identifier: MIT
// Products of Winograd's points with filters. Tiles of a block lie one line of 16 channels after the other, so that the rows of a tile of the product
// are a constant distance apart: one register addresses them all.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

// Rows of filters that are fetched ahead: a page, where it has 32 columns. Processors fetch by themselves only within one, and two threads waited a sixth
// of the time for filters from the last cache (128 channels, Xeon).
constexpr int64_t kFilterRowsAhead = 32;

// M tiles by NV vectors of columns, over `depth` channels. `fetch` as in WinogradMultiply; without it the tiles' own channels come near, 32 ahead. The sums
// start at zero and what was stored is added at the end, as in gemm.h.
template <class V, int M, int NV>
CONVLANE_NOINLINE void winograd_rows(const WinogradMultiply& p, const float* a, const float* b, const float* const* fetch, float* to, int64_t depth, bool accumulate) {
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const int64_t width = p.width, group_step = p.group_step;
  for (; depth > 0; depth -= kWinogradLine, a += group_step) {
    const float* end = a + (depth < kWinogradLine ? depth : kWinogradLine);
    const float* next = fetch == nullptr ? nullptr : *fetch++;
    const int64_t next_step = next == nullptr ? kWinogradLine : p.fetch_step;
    if (next == nullptr) next = a + 2 * group_step;
    for (const float* at = a; at < end; ++at, b += width, next += next_step) {
      CONVLANE_PREFETCH(next);
      CONVLANE_UNROLL for (int j = 0; j < NV; j += kWinogradLine / V::width) CONVLANE_PREFETCH(b + kFilterRowsAhead * width + j * V::width);
      V bk[NV];
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        bk[j] = V::load(b + j * V::width);
        keep(bk[j]);
      }
      CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
        const auto x = V::factor(at + i * kWinogradLine);
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(x, bk[j], sums[i][j]);
      }
    }
  }
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      float* c = to + i * width + j * V::width;
      const V s = accumulate ? sums[i][j] + V::load(c) : sums[i][j];
      s.store(c);
    }
  }
}

template <class V, int M, int NV>
inline void winograd_rows_of(int64_t m, const WinogradMultiply& p, const float* a, const float* b, const float* const* fetch, float* to, int64_t depth, bool accumulate) {
  if constexpr (M > 1) {
    if (m < M) return winograd_rows_of<V, M - 1, NV>(m, p, a, b, fetch, to, depth, accumulate);
  }
  winograd_rows<V, M, NV>(p, a, b, fetch, to, depth, accumulate);
}

template <class V, int NV = V::product_vectors>
void winograd_multiply(const WinogradMultiply& p) {
  if constexpr (NV > 1) {
    if (p.vectors < NV) return winograd_multiply<V, NV - 1>(p);
  }
  const int64_t lines = (p.depth + kWinogradLine - 1) / kWinogradLine;
  int64_t used = 0;
  for (int64_t point = 0; point < p.points; ++point) {
    const WinogradRange range = p.ranges[point];
    if (range.count == 0) continue;
    const int64_t pieces = (range.count + V::product_rows - 1) / V::product_rows;
    for (int64_t k = 0; k < p.depth; k += p.part) {
      const float* from = p.from + point * p.point_step + k / kWinogradLine * p.group_step;
      const float* filters = p.filters + point * p.filter_step + k * p.width;
      const int64_t length = p.depth - k < p.part ? p.depth - k : p.part;
      const float* const* fetch = p.fetch == nullptr ? nullptr : p.fetch + used * lines + k / kWinogradLine;
      for (int64_t i = 0; i < pieces; ++i, fetch = nullptr) {
        const int64_t begin = range.count * i / pieces, m = range.count * (i + 1) / pieces - begin, first = range.first + begin;
        float* to = p.products + point * p.product_step + first * p.width;
        winograd_rows_of<V, V::product_rows, NV>(m, p, from + first * kWinogradLine, filters, fetch, to, length, p.accumulate || k > 0);
      }
    }
    ++used;
  }
}

}  // namespace
}  // namespace convlane
