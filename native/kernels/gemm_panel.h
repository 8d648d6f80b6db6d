// SPDX-License-Identifier: MIT
// Many rows that lie at one distance, against a panel of B as wide as a tile: 1 x 1 windows. Tiles of row pointers spend up to a third of the time of a short
// reduction (16 to 32 channels) on their lists and between two tiles.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"
#include "gemm.h"

namespace convlane {
namespace {

// Where the tile after this one writes is claimed row by row meanwhile: all at once before a tile, such lines keep what it reads waiting. Many rows leave no
// registers for that.
template <class V, int M, int NV, bool Whole>
CONVLANE_NOINLINE void panel_tile(const GemmPanelArgs& g, int64_t row) {
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const float *a[M], *b = g.b;
  const int64_t ldb = g.ldb, lda = g.lda, ldc = g.ldc, length = g.k;
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    a[i] = g.a + (row + i) * lda;
    CONVLANE_OPAQUE(a[i]);
  }
  const auto step = [&](int64_t k) CONVLANE_INLINE_LAMBDA {
    V bk[NV];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) bk[j] = V::load(b + j * V::width);
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      const auto aik = V::factor(a[i] + k);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(aik, bk[j], sums[i][j]);
    }
    b += ldb;
  };
  constexpr bool kMeanwhile = M <= 12;
  constexpr int together = kMeanwhile && Whole ? kTogether<V> : 1;
  float* const out = g.c + row * ldc;
  const float* claim = out + M * ldc;
  const float* const claims_end = row + M < g.claimed_rows ? claim + M * ldc : claim;
  const auto claim_row = [&] {
    CONVLANE_UNROLL for (int j = 0; j < NV * V::width; j += kFetched) CONVLANE_PREFETCH_WRITE(claim + j);
    claim += ldc;
  };
  while (!kMeanwhile && claim != claims_end) claim_row();
  const float* next = g.a + (row + 2 * M) * lda;  // what the tile after the next one reads
  for (int64_t k = 0; k < length;) {
    const float* from = next + k;
    CONVLANE_UNROLL for (int i = 0; i < M; ++i, from += lda) {
      CONVLANE_PREFETCH(from);
      CONVLANE_OPAQUE(from);
    }
    const int64_t end = k + kFetched < length ? k + kFetched : length;
    for (; k + together <= end; k += together) {
      if (kMeanwhile && claim != claims_end) claim_row();
      CONVLANE_UNROLL for (int q = 0; q < together; ++q) step(k + q);
    }
    for (; k < end; ++k) step(k);
  }
  finish_tile<V, M, NV, Whole>([&](int i) { return out + i * ldc; }, g, false, sums);
}

// The last tile takes rows again that the one before has computed: the same values.
template <class V, class Tiles, int NV, bool Whole>
inline void panel_tiles(const GemmPanelArgs& g) {
  constexpr int M = Tiles::rows[NV];
  for (int64_t row = 0; row < g.rows; row += M) panel_tile<V, M, NV, Whole>(g, row + M <= g.rows ? row : g.rows - M);
}

template <class V, class Tiles, int NV = V::vectors>
void gemm_panel(const GemmPanelArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return gemm_panel<V, Tiles, NV - 1>(g);
  }
  if (g.columns == NV * V::width) return panel_tiles<V, Tiles, NV, true>(g);
  panel_tiles<V, Tiles, NV, false>(g);
}

}  // namespace
}  // namespace convlane
