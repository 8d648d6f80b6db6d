// SPDX-License-Identifier: MIT
// Many rows that lie at one distance, against a panel of B as wide as a tile: 1 x 1 windows. Tiles of row pointers spend up to a third of the time of a short
// reduction (16 to 32 channels) on their lists and between two tiles.
#pragma once
#include <type_traits>

#include "../cpu/kernel_table.h"
#include "activation.h"
#include "gemm.h"

namespace convlane {
namespace {

constexpr int kTwoVectorRows = 14;  // of a tile of two vectors: 144 -> 32 has 91 % of the limit on a Xeon, with 8 rows 78 to 82
constexpr int kTallSteps = 8;       // k of one turn of the loop, in tiles of more than kRowPointers rows

// All k of a tile: `steps` multiplies the next ones, as many as its argument. Where the tile after this one writes is claimed meanwhile, so many rows with each
// turn: all at once, such lines keep what the tile reads waiting. What the next tile reads (a tall one: into the first cache), or the one after it, is fetched in
// the order of memory where rows follow each other: such a sequence the hardware carries on by itself, further ahead. A tile of one vector is asked to or not.
template <class V, int M, int NV, int Together, int Claims, class Steps>
CONVLANE_INLINE void panel_steps(const GemmPanelArgs& g, int64_t row, const Steps& steps) {
  constexpr bool near = M > kRowPointers;
  const int64_t lda = g.lda, ldc = g.ldc, length = g.k;
  const float* claim = g.c + (row + M) * ldc;
  const float* const claims_end = row + M < g.claimed_rows ? claim + M * ldc : claim;
  const auto claim_row = [&] {
    CONVLANE_UNROLL for (int j = 0; j < NV * V::width; j += kFetched) CONVLANE_PREFETCH_WRITE(claim + j);
    claim += ldc;
  };
  const bool dense = lda == length;
  const int64_t apart = dense ? kFetched : lda, further = dense ? M : 1;
  const float* next = g.a + (row + (near ? 1 : 2) * M) * lda;
  for (int64_t k = 0; k < length;) {
    if (NV > 1 || g.fetch) {
      const float* from = next + k * further;
      CONVLANE_UNROLL for (int i = 0; i < M; ++i, from += apart) {
        if (near) {
          CONVLANE_PREFETCH_NEAR(from);
        } else {
          CONVLANE_PREFETCH(from);
        }
        CONVLANE_OPAQUE(from);
      }
    }
    const int64_t end = k + kFetched < length ? k + kFetched : length;
    for (; k + Together <= end; k += Together) {
      CONVLANE_UNROLL for (int i = 0; i < Claims; ++i) {
        if (claim != claims_end) claim_row();
      }
      steps(std::integral_constant<int, Together>());
    }
    for (; k < end; ++k) steps(std::integral_constant<int, 1>());
  }
}

template <class V, int M, int NV, bool Whole>
CONVLANE_NOINLINE void panel_tile(const GemmPanelArgs& g, int64_t row) {
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const int64_t lda = g.lda, ldb = g.ldb;
  const float *first = g.a + row * lda, *b = g.b;
  if constexpr (M <= kRowPointers) {
    const float* a[M];
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      a[i] = first + i * lda;
      CONVLANE_OPAQUE(a[i]);
    }
    int64_t k = 0;
    const auto steps = [&](auto count) CONVLANE_INLINE_LAMBDA {
      CONVLANE_UNROLL for (int q = 0; q < decltype(count)::value; ++q, ++k, b += ldb) {
        V bk[NV];
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) bk[j] = V::load(b + j * V::width);
        CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
          const auto aik = V::factor(a[i] + k);
          CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(aik, bk[j], sums[i][j]);
        }
      }
    };
    panel_steps<V, M, NV, Whole ? kTogether<V> : 1, 1>(g, row, steps);
  } else {
    constexpr int kOfPointer = 4, kPointers = (M + kOfPointer - 1) / kOfPointer;  // one to each row would not fit the registers
    const char* a[kPointers];
    CONVLANE_UNROLL for (int i = 0; i < kPointers; ++i) a[i] = reinterpret_cast<const char*>(first + i * kOfPointer * lda);
    int64_t distance = lda * static_cast<int64_t>(sizeof(float)), triple = 3 * distance;
    const auto steps = [&](auto count) CONVLANE_INLINE_LAMBDA {
      CONVLANE_OPAQUE(distance);
      CONVLANE_OPAQUE(triple);
      CONVLANE_UNROLL for (int i = 0; i < kPointers; ++i) CONVLANE_OPAQUE(a[i]);
      CONVLANE_UNROLL for (int q = 0; q < decltype(count)::value; ++q, b += ldb) {
        V bk[NV];
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
          bk[j] = V::load(b + j * V::width);
          keep(bk[j]);
        }
        CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
          const int r = i % kOfPointer;
          const auto aik = V::factor(reinterpret_cast<const float*>(a[i / kOfPointer] + (r == 3 ? triple : r * distance)) + q);
          CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(aik, bk[j], sums[i][j]);
        }
      }
      CONVLANE_UNROLL for (int i = 0; i < kPointers; ++i) a[i] += count * static_cast<int>(sizeof(float));
    };
    panel_steps<V, M, NV, kTallSteps, 2>(g, row, steps);
  }
  float* const out = g.c + row * g.ldc;
  finish_tile<V, M, NV, Whole>([&](int i) { return out + i * g.ldc; }, g, false, sums);
}

// The last tile takes rows again that the one before has computed: the same values.
template <class V, int M, int NV, bool Whole>
inline void panel_tiles(const GemmPanelArgs& g) {
  for (int64_t row = 0; row < g.rows; row += M) panel_tile<V, M, NV, Whole>(g, row + M <= g.rows ? row : g.rows - M);
}

template <class V, class Tiles, int NV, bool Whole>
inline void panel_of(const GemmPanelArgs& g) {
  if constexpr (V::width == 16 && NV == 2) {
    constexpr int64_t kPage = 1024;  // 14 rows at a multiple of 4 KiB don't fit their place in the first cache: 1024 -> 32 took a tenth more
    if (g.rows >= kTwoVectorRows && g.lda % kPage != 0) return panel_tiles<V, kTwoVectorRows, NV, Whole>(g);
  }
  panel_tiles<V, Tiles::rows[NV], NV, Whole>(g);
}

template <class V, class Tiles, int NV = V::vectors>
void gemm_panel(const GemmPanelArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return gemm_panel<V, Tiles, NV - 1>(g);
  }
  if (g.columns == NV * V::width) return panel_of<V, Tiles, NV, true>(g);
  panel_of<V, Tiles, NV, false>(g);
}

}  // namespace
}  // namespace convlane
