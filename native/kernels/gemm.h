// SPDX-License-Identifier: MIT
// The micro-kernels of every convolution, dense layer and matrix product: one tile of m rows by up to V::vectors vectors of columns.
// The sums start at zero and what was stored is added at the end (accumulate), so that a reduction in parts loses less than one long chain.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"

namespace convlane {
namespace {

// Adds what was stored and the bias to the sums of a tile, and writes them through the activation; row(i) is where row i of it begins. Whole: all lanes of the
// last vector.
template <class V, int M, int NV, bool Whole, class Row, class Args>
inline void finish_tile(const Row& row, const Args& g, bool accumulate, V (&sums)[M][NV]) {
  const bool relu_now = g.activation == Activation::relu;
  const int last = g.columns - (NV - 1) * V::width;  // columns of the last vector
  if (accumulate) {
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      const float* out = row(i);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        sums[i][j] = sums[i][j] + (Whole || j < NV - 1 ? V::load(out + j * V::width) : V::load(out + j * V::width, last));
      }
    }
  }
  if (g.bias != nullptr) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      const V bias = Whole || j < NV - 1 ? V::load(g.bias + j * V::width) : V::load(g.bias + j * V::width, last);
      CONVLANE_UNROLL for (int i = 0; i < M; ++i) sums[i][j] = sums[i][j] + bias;
    }
  }
  if (relu_now) {
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = relu(sums[i][j]);
    }
  }
  if (Whole && g.stream) {
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j].stream(row(i) + j * V::width);
    }
    return;
  }
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    float* out = row(i);
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      if (Whole || j < NV - 1) {
        sums[i][j].store(out + j * V::width);
      } else {
        sums[i][j].store(out + j * V::width, last);
      }
    }
  }
  if (g.activation != Activation::linear && !relu_now) {
    for (int i = 0; i < M; ++i) activate<V>(g.activation, row(i), row(i), g.columns);
  }
}

// What a tile of row pointers does besides: nothing; it fetches a line of each of g.ahead's rows with every 16 k; or it copies
// the rows of B to g.copy, which is free: stores wait for none of the units that multiply. Rows of B that lie far apart are then fetched kCopyAhead before.
enum class Fetch { none, ahead, copy };
// All into L2: rows a multiple of 4 KiB apart would push each other out of L1.
constexpr int64_t kCopyAhead = 32;
constexpr int kFetched = 16;  // floats of a line

constexpr int kRowPointers = 8;  // as many fit the general registers beside what else a tile keeps there

// Tiles of one vector with more rows than that, as 8 sums wait for each other, take several k at a time: vectors of B for all of these stay in registers, and
// pointers to a few rows at once. next() is the next row of A, from this k on.
template <class V>
constexpr int kOneVectorSteps = V::registers / 4;
constexpr int kOneVectorRows = 4;  // two of them, each waiting for its own sums longer, take 2 to 4 % more on a Zen 5

template <class V, int M, class Next>
CONVLANE_INLINE void one_vector_steps(const Next& next, const float* b, int64_t ldb, V (&sums)[M][1]) {
  constexpr int K = kOneVectorSteps<V>, R = kOneVectorRows;
  static_assert(M % R == 0, "a pointer for each row of a turn");
  V bk[K];
  CONVLANE_UNROLL for (int q = 0; q < K; ++q) {
    bk[q] = V::load(b + q * ldb);
    keep(bk[q]);
  }
  CONVLANE_UNROLL for (int i = 0; i < M; i += R) {
    const float* a[R];
    CONVLANE_UNROLL for (int r = 0; r < R; ++r) {
      a[r] = next();
      CONVLANE_OPAQUE(a[r]);
    }
    CONVLANE_UNROLL for (int q = 0; q < K; ++q) {
      CONVLANE_UNROLL for (int r = 0; r < R; ++r) sums[i + r][0] = fma(V::factor(a[r] + q), bk[q], sums[i + r][0]);
    }
  }
}

// Listed: pointers of each run, more than M where a tile of one vector is a part of a taller one.
template <class V, int M, int NV, Fetch F>
CONVLANE_NOINLINE void gemm_rows_tile(const GemmRowsArgs& g, int64_t listed) {
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const int64_t ldb = g.ldb, stride = NV == 1 ? listed : M;
  if (g.fetch_out) {
    for (int i = 0; i < M; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < NV * V::width; j += kFetched) CONVLANE_PREFETCH_WRITE(g.out[i] + g.out_offset + j);
    }
  }
  float* copy = g.copy;
  for (int64_t r = 0; r < g.run_count; ++r) {
    const float* b = g.runs[r].b;
    const int64_t length = g.runs[r].length;
    const float* a[M];
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) a[i] = g.rows[r * stride + i];
    const auto step = [&](int64_t k) CONVLANE_INLINE_LAMBDA {
      int64_t at = g.rows_offset + k;
      if (M == kRowPointers) CONVLANE_OPAQUE(at);  // one index for all rows: as many pointers to move on with each k take up to 5 % longer, fewer do not
      if (F == Fetch::copy) {
        CONVLANE_UNROLL for (int j = 0; j < NV * V::width; j += kFetched) CONVLANE_PREFETCH(b + kCopyAhead * ldb + j);
      }
      V bk[NV];
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        bk[j] = V::load(b + j * V::width);
        keep(bk[j]);
        if (F == Fetch::copy) bk[j].store(copy + j * V::width);
      }
      if (F == Fetch::copy) copy += NV * V::width;
      CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
        const auto aik = V::factor(a[i] + at);
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(aik, bk[j], sums[i][j]);
      }
      b += ldb;
    };
    if constexpr (NV == 1 && M > kRowPointers && F != Fetch::copy) {
      constexpr int K = kOneVectorSteps<V>;
      int64_t k = 0;
      for (; k + K <= length; k += K, b += K * ldb) {
        if (F == Fetch::ahead && k % kFetched == 0) {
          CONVLANE_UNROLL for (int i = 0; i < M; ++i) CONVLANE_PREFETCH(g.ahead[r * M + i] + g.rows_offset + k);
        }
        const float* const* row = g.rows + r * M;
        const int64_t from = g.rows_offset + k;
        one_vector_steps<V, M>([&]() CONVLANE_INLINE_LAMBDA { return *row++ + from; }, b, ldb, sums);
      }
      for (; k < length; ++k) step(k);
    } else if (F == Fetch::ahead) {
      for (int64_t k = 0; k < length;) {  // by lines: a look at each k whether to fetch costs tiles of many rows up to 6 %
        CONVLANE_UNROLL for (int i = 0; i < M; ++i) CONVLANE_PREFETCH(g.ahead[r * M + i] + g.rows_offset + k);
        const int64_t end = k + kFetched < length ? k + kFetched : length;
        for (; k < end; ++k) step(k);
      }
    } else {
      for (int64_t k = 0; k < length; ++k) step(k);
    }
  }

  const auto row = [&](int i) { return g.out[i] + g.out_offset; };
  if (g.columns == NV * V::width) {
    finish_tile<V, M, NV, true>(row, g, g.accumulate, sums);
  } else {
    finish_tile<V, M, NV, false>(row, g, g.accumulate, sums);
  }
}

template <class V>
void stream_zeros(float* to, int64_t count) {
  for (int64_t i = 0; i < count; i += V::width) V::zero().stream(to + i);
}

// k of one turn of the loop, in tiles as wide as can be: two give a Xeon 2 to 6 % more of its multiply-adds than one; NEON 6 to 17 % less, by static analysis.
template <class V>
constexpr int kTogether = V::width > 4 ? 2 : 1;

// Beside multiplying it fetches, or copies, with each p one of what is listed: a look at whether there is any would cost small tiles 5 to 8 %. Together: p of
// one turn of the loop.
template <class V, int M, int NV, bool Whole, Fetch F, int Together>
CONVLANE_NOINLINE void gemm_cols_tile(const GemmColsArgs& g) {
  V sums[M][NV];
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const int last = g.columns - (NV - 1) * V::width;
  const int64_t lda = g.lda, ldb = g.ldb;
  const float *const *next = g.next, *const *const next_end = next + g.next_lines / Together * Together;
  GemmCopies copy = g.copies;
  const int64_t every = copy.count > 0 ? g.runs[0].length / copy.count : 0;  // p from one to the next: all at once would wait for the caches
  int64_t wait = copy.count > 0 ? 1 : -1;
  if (F == Fetch::copy && g.accumulate) {
    const float* sum = g.c;
    CONVLANE_UNROLL for (int i = 0; i < M; ++i, sum += g.ldc) {
      CONVLANE_UNROLL for (int j = 0; j < NV * V::width; j += kFetched) CONVLANE_PREFETCH_WRITE(sum + j);
    }
  }
  for (int64_t r = 0; r < g.run_count; ++r) {
    const float* a = g.runs[r].a + g.a_offset;
    const float* b = g.runs[r].b + g.b_offset;
    const auto step = [&]() CONVLANE_INLINE_LAMBDA {
      if (F != Fetch::copy) CONVLANE_PREFETCH(a + 16);  // the line that the tiles after this one read: strided rows defeat the hardware's prefetcher
      V bp[NV];
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
        bp[j] = Whole || j < NV - 1 ? V::load(b + j * V::width) : V::load(b + j * V::width, last);
        keep(bp[j]);
      }
      CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
        const auto api = V::factor(a + i);
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(api, bp[j], sums[i][j]);
      }
      a += lda;
      b += ldb;
    };
    int64_t p = g.runs[r].length;
    for (; p >= Together; p -= Together) {
      if (F == Fetch::ahead && next != next_end) {
        CONVLANE_UNROLL for (int q = 0; q < Together; ++q) CONVLANE_PREFETCH(*next++);
      }
      if (F == Fetch::copy && --wait == 0) {
        wait = --copy.count > 0 ? every : -1;
        CONVLANE_PREFETCH(copy.from + copy.ahead);
        CONVLANE_UNROLL for (int j = 0; j < M; j += V::width) V::load(copy.from + j).store(copy.to + j);
        const bool turns = --copy.left == 0;
        copy.from += turns ? copy.from_turn : copy.from_step;
        copy.to += turns ? copy.to_turn : copy.to_step;
        copy.left = turns ? copy.together : copy.left;
      }
      CONVLANE_UNROLL for (int q = 0; q < Together; ++q) step();
    }
    for (; p > 0; --p) step();
  }
  float* c = g.c;
  const int64_t ldc = g.ldc;
  const bool accumulate = g.accumulate;
  CONVLANE_UNROLL for (int i = 0; i < M; ++i, c += ldc) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      V s = sums[i][j];
      if (Whole || j < NV - 1) {
        if (accumulate) s = s + V::load(c + j * V::width);
        s.store(c + j * V::width);
      } else {
        if (accumulate) s = s + V::load(c + j * V::width, last);
        s.store(c + j * V::width, last);
      }
    }
  }
}

// Whether M rows may be those of a full tile of NV vectors: its own, or of wider ones beside it.
template <class Tiles>
constexpr bool full_tile(int m, int nv, int vectors) {
  for (int wider = nv; wider <= vectors; ++wider) {
    if (m == Tiles::rows[wider]) return true;
  }
  return false;
}

// The instance for m rows: tried from the full tile downwards, so that a full tile costs one comparison. Tiles has the rows of a full one by number of vectors.
// A tall one that lacks rows is two: one for each count of rows would be 3 to 4 KB.
template <class V, class Tiles, int M, int NV>
void gemm_rows_of(const GemmRowsArgs& g, int64_t listed) {
  if constexpr (M > kRowPointers) {
    if (g.m <= kRowPointers) return gemm_rows_of<V, Tiles, kRowPointers, NV>(g, listed);
    if (g.m < M) {
      GemmRowsArgs part = g;
      part.m = kRowPointers;
      gemm_rows_of<V, Tiles, kRowPointers, NV>(part, listed);
      part.m = g.m - kRowPointers;
      part.rows += kRowPointers;
      part.out += kRowPointers;
      return gemm_rows_of<V, Tiles, kRowPointers, NV>(part, listed);
    }
  } else if constexpr (M > 1) {
    if (g.m < M) return gemm_rows_of<V, Tiles, M - 1, NV>(g, listed);
  }
  if constexpr (full_tile<Tiles>(M, NV, V::vectors)) {
    if (g.copy != nullptr) return gemm_rows_tile<V, M, NV, Fetch::copy>(g, listed);
  }
  if constexpr (M == Tiles::rows[NV]) {
    if (g.ahead != nullptr) return gemm_rows_tile<V, M, NV, Fetch::ahead>(g, listed);
  }
  gemm_rows_tile<V, M, NV, Fetch::none>(g, listed);
}

// Between packed strips and panels a tile may be taller than elsewhere.
template <class V, class Tiles, int NV>
constexpr int kColsRows = NV == V::strip_vectors && V::strip_rows > Tiles::rows[NV] ? V::strip_rows : Tiles::rows[NV];

template <class V, class Tiles, int M, int NV>
void gemm_cols_of(const GemmColsArgs& g) {
  constexpr bool strips = M == V::strip_rows && NV == V::strip_vectors, only_strips = M > Tiles::rows[NV];
  static_assert(!only_strips || (strips && M > kRowPointers), "a taller tile between strips and panels that lacks rows is two of other ones");
  constexpr int together = M == Tiles::rows[NV] && NV == V::vectors && NV > 2 ? kTogether<V> : 1;  // narrow tiles gained nothing
  const bool whole = g.columns == NV * V::width;
  if constexpr (M > kRowPointers) {
    if (g.m <= kRowPointers) return gemm_cols_of<V, Tiles, kRowPointers, NV>(g);
    if (g.m < M || (only_strips && !whole)) {
      GemmColsArgs part = g;
      part.m = kRowPointers;
      gemm_cols_of<V, Tiles, kRowPointers, NV>(part);
      part.m = g.m - kRowPointers;
      part.a_offset += kRowPointers;
      part.c += kRowPointers * g.ldc;
      return gemm_cols_of<V, Tiles, kRowPointers, NV>(part);
    }
  } else if constexpr (M > 1) {
    if (g.m < M) return gemm_cols_of<V, Tiles, M - 1, NV>(g);
  }
  if constexpr (strips) {
    if (only_strips || g.copies.count > 0) return gemm_cols_tile<V, M, NV, true, Fetch::copy, 1>(g);
  }
  if constexpr (M == Tiles::rows[NV] && NV == V::vectors) {
    if (g.next_lines > 0 && whole) return gemm_cols_tile<V, M, NV, true, Fetch::ahead, together>(g);
  }
  if constexpr (!only_strips) {
    if (whole) {
      gemm_cols_tile<V, M, NV, true, Fetch::none, together>(g);
    } else {
      gemm_cols_tile<V, M, NV, false, Fetch::none, 1>(g);
    }
  }
}

template <class V, class Tiles, int NV = V::vectors>
void gemm_rows(const GemmRowsArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return gemm_rows<V, Tiles, NV - 1>(g);
  }
  gemm_rows_of<V, Tiles, Tiles::rows[NV], NV>(g, g.m);
}

template <class V, class Tiles, int NV = V::vectors>
void gemm_cols(const GemmColsArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return gemm_cols<V, Tiles, NV - 1>(g);
  }
  gemm_cols_of<V, Tiles, kColsRows<V, Tiles, NV>, NV>(g);
}

}  // namespace
}  // namespace convlane
