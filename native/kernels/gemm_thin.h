// SPDX-License-Identifier: MIT
// Matrix products that tiles are too wide for, and that reading or writing the large matrix once limits: of few rows, and of a reduction of one.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

// M rows of a by J rows of b: each sum in vector lanes along the rows.
template <class V, int M, int J>
CONVLANE_NOINLINE void dots_tile(const GemmDotsArgs& g, int64_t row, int64_t column) {
  const float *a[M], *b[J];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) a[i] = g.a + (row + i) * g.lda;
  CONVLANE_UNROLL for (int j = 0; j < J; ++j) b[j] = g.b + (column + j) * g.ldb;
  V sums[M][J];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < J; ++j) sums[i][j] = V::zero();
  }
  for_vectors<V>(g.k, [&](int64_t k, auto part) {
    V bk[J];
    CONVLANE_UNROLL for (int j = 0; j < J; ++j) bk[j] = part.load(b[j] + k);
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      const V ak = part.load(a[i] + k);
      CONVLANE_UNROLL for (int j = 0; j < J; ++j) sums[i][j] = fma(ak, bk[j], sums[i][j]);
    }
  });
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < J; ++j) g.y[(row + i) * g.ldy + column + j] = sum(sums[i][j]);
  }
}

template <class V, int J>
void dots_columns(const GemmDotsArgs& g, int64_t column) {
  int64_t row = 0;
  for (; row + 2 <= g.m; row += 2) dots_tile<V, 2, J>(g, row, column);
  if (row < g.m) dots_tile<V, 1, J>(g, row, column);
}

template <class V>
void gemm_dots(const GemmDotsArgs& g) {
  int64_t column = 0;
  for (; column + 4 <= g.n; column += 4) dots_columns<V, 4>(g, column);
  for (; column < g.n; ++column) dots_columns<V, 1>(g, column);
}

template <class V>
void gemm_outer(const float* a, const float* b, int64_t m, int64_t n, float* y) {
  for (int64_t i = 0; i < m; ++i) {
    const auto factor = V::factor(a + i);
    for_vectors<V>(n, [&](int64_t j, auto part) { part.store(fma(factor, part.load(b + j), V::zero()), y + i * n + j); });
  }
}

}  // namespace
}  // namespace convlane
