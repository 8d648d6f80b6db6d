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

// Rows of B that are taken together, by rows of a: their factors stay in registers beside a row of sums.
template <class V>
constexpr int thin_depth(int rows) {
  constexpr int kMost = 8;
  const int depth = (V::registers - 2 - rows) / rows;
  return depth < kMost ? depth : kMost;
}

// Adds U rows of B, times M factors each, to M rows of sums, or begins these.
template <class V, int M, int U, bool Begins>
CONVLANE_NOINLINE void thin_tile(const GemmThinArgs& g, int64_t row, int64_t k) {
  const float *a = g.a + row * g.lda + k, *b = g.b + k * g.ldb;
  const int64_t lda = g.lda, ldb = g.ldb, ldy = g.ldy;
  float* y = g.y + row * ldy;
  V factors[M][U];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int u = 0; u < U; ++u) factors[i][u] = V::set(a[i * lda + u]);
  }
  for_vectors<V>(g.columns, [&](int64_t j, auto part) CONVLANE_INLINE_LAMBDA {
    V sums[M];
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) sums[i] = Begins ? V::zero() : part.load(y + i * ldy + j);
    CONVLANE_UNROLL for (int u = 0; u < U; ++u) {
      const V value = part.load(b + u * ldb + j);
      CONVLANE_UNROLL for (int i = 0; i < M; ++i) sums[i] = fma(factors[i][u], value, sums[i]);
    }
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) part.store(sums[i], y + i * ldy + j);
  });
}

template <class V, int M, int U>
void thin_depths(const GemmThinArgs& g, int64_t row, int64_t k, int64_t depth) {
  if constexpr (U > 1) {
    if (depth < U) return thin_depths<V, M, U - 1>(g, row, k, depth);
  }
  if (k == 0) return thin_tile<V, M, U, true>(g, row, k);
  thin_tile<V, M, U, false>(g, row, k);
}

template <class V>
void gemm_thin(const GemmThinArgs& g) {
  constexpr int kRows = 4;
  const int together = thin_depth<V>(g.m < kRows ? static_cast<int>(g.m) : kRows);
  for (int64_t k = 0; k < g.k; k += together) {
    const int64_t depth = together < g.k - k ? together : g.k - k;
    int64_t row = 0;
    for (; row + kRows <= g.m; row += kRows) thin_depths<V, kRows, thin_depth<V>(kRows)>(g, row, k, depth);
    if (g.m - row == 3) thin_depths<V, 3, thin_depth<V>(3)>(g, row, k, depth);
    if (g.m - row == 2) thin_depths<V, 2, thin_depth<V>(2)>(g, row, k, depth);
    if (g.m - row == 1) thin_depths<V, 1, thin_depth<V>(1)>(g, row, k, depth);
  }
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
