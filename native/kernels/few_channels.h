// SPDX-License-Identifier: MIT
// Convolutions with few channels on one side. A value of the few is spread over a vector of channels of the many; tiles of sums stay in registers.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"
#include "gemm.h"
#include "loop.h"

namespace convlane {
namespace {

constexpr int kTileRows = 14;       // most rows of a tile
constexpr int kScalarTileRows = 4;  // most of a scalar one: each count of rows is a function, and few machines run these

// Rows of a tile of so many vectors: sums, the vectors of one step and a value of the few fit the registers. AVX-512 could broadcast the value within each FMA
// and have one row more, but two FMAs a cycle would then wait for loads.
template <class V>
constexpr int few_tile(int vectors) {
  const int rows = (V::registers - vectors - 1) / vectors, most = V::width == 1 ? kScalarTileRows : kTileRows;
  return rows < most ? rows : most;
}

template <class V, int T, int NV>
inline void few_rows_store(const FewRowsArgs& g, int64_t first, V (&sums)[T][NV]) {
  const int last = g.columns - (NV - 1) * V::width;
  const bool relu_now = g.activation == Activation::relu;
  V bias[NV];
  CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
    bias[j] = g.bias == nullptr ? V::zero() : j < NV - 1 ? V::load(g.bias + j * V::width) : V::load(g.bias + j * V::width, last);
  }
  float* y = g.y + first * g.ldy;
  CONVLANE_UNROLL for (int i = 0; i < T; ++i, y += g.ldy) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      V s = sums[i][j];
      if (g.bias != nullptr) s = s + bias[j];
      if (relu_now) s = relu(s);
      if (j < NV - 1) {
        s.store(y + j * V::width);
      } else {
        s.store(y + j * V::width, last);
      }
    }
  }
}

constexpr int kClaimed = 32;  // floats: two lines

// What will be written `Ahead` pixels on is claimed while there is time: a tile's stores come in one burst. Of two lines one: its neighbour comes with it, and
// asking for all of them keeps a Xeon's loads waiting (3 x 3 of 3 channels 5 to 8 % slower).
template <class V, int T, int NV, int Ahead>
inline void few_rows_claim(const FewRowsArgs& g, int64_t first) {
  const float* y = g.y + (first + Ahead) * g.ldy;
  CONVLANE_UNROLL for (int i = 0; i < T; ++i, y += g.ldy) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      if (j * V::width % kClaimed == 0) CONVLANE_PREFETCH_WRITE(y + j * V::width);
    }
  }
}

// Row i of up to kTileRows that lie at one distance, as x86 addresses it from row 0, 5 or 10 with once or three times the distance, in bytes: pointers to all
// of them would not fit the registers.
inline const float* even_row(int i, const char* row0, const char* row5, const char* row10, int64_t step, int64_t triple) {
  const auto floats = [](const char* p) { return reinterpret_cast<const float*>(p); };
  switch (i) {
    case 0: return floats(row0);
    case 1: return floats(row0 + step);
    case 2: return floats(row0 + 2 * step);
    case 3: return floats(row0 + triple);
    case 4: return floats(row0 + 4 * step);
    case 5: return floats(row5);
    case 6: return floats(row0 + 2 * triple);
    case 7: return floats(row5 + 2 * step);
    case 8: return floats(row0 + 8 * step);
    case 9: return floats(row5 + 4 * step);
    case 10: return floats(row10);
    case 11: return floats(row5 + 2 * triple);
    case 12: return floats(row0 + 4 * triple);
    default: return floats(row5 + 8 * step);
  }
}

// Floats that each term of a tile of so many pixels prefetches, up to a line.
inline int64_t few_rows_line(const FewRowsArgs& g, int64_t pixels) {
  const uint32_t floats = static_cast<uint32_t>(pixels * g.ahead_floats), terms = static_cast<uint32_t>(g.term_count);
  return floats > 16 * terms ? 16 : (floats + terms - 1) / terms;
}

// Even: the pixels lie at one distance.
template <class V, int T, int NV, bool Even>
CONVLANE_NOINLINE void few_rows_tile(const FewRowsArgs& g, int64_t first) {
  V sums[T][NV];
  const float* x[T];
  CONVLANE_UNROLL for (int i = 0; i < T; ++i) {
    x[i] = g.x + g.pixels[first + i];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const auto row0 = reinterpret_cast<const char*>(x[0]);
  int64_t step = T > 1 ? reinterpret_cast<const char*>(x[T > 1]) - row0 : 0, triple = 3 * step;
  few_rows_claim<V, T, NV, T>(g, first);
  const int64_t ldw = g.ldw, line = few_rows_line(g, T);
  const float* w = g.w;
  const float* next = line > 0 ? g.ahead + first * g.ahead_floats : x[0];
  for (const int32_t *t = g.terms, *end = t + g.term_count; t != end; ++t, w += ldw, next += line) {
    const int64_t at = *t;
    CONVLANE_PREFETCH(next);
    V b[NV];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      b[j] = V::load(w + j * V::width);
      keep(b[j]);
    }
    const char *at0 = row0 + at * static_cast<int64_t>(sizeof(float)), *at5 = at0 + 5 * step, *at10 = at0 + 10 * step;
    if (Even) {
      CONVLANE_OPAQUE(step);  // or the compiler keeps all their multiples, in memory
      CONVLANE_OPAQUE(triple);
      CONVLANE_OPAQUE(at5);
      CONVLANE_OPAQUE(at10);
    }
    CONVLANE_UNROLL for (int i = 0; i < T; ++i) {
      const auto a = V::factor(Even ? even_row(i, at0, at5, at10, step, triple) : x[i] + at);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(a, b[j], sums[i][j]);
    }
  }
  few_rows_store<V, T, NV>(g, first, sums);
}

template <class V, int T, int NV>
inline void few_rows_tile_of(const FewRowsArgs& g, int64_t first, int64_t count) {
  if constexpr (T > 1) {
    if (count < T) return few_rows_tile_of<V, T - 1, NV>(g, first, count);
  }
  if constexpr (V::width > 4 && T == few_tile<V>(NV) && T > kRowPointers) {
    const int32_t* pixels = g.pixels + first;
    // With two distances at most, the first one is all of them if their sum is its multiple.
    if (pixels[T - 1] - pixels[0] == (T - 1) * (pixels[1] - pixels[0])) return few_rows_tile<V, T, NV, true>(g, first);
  }
  few_rows_tile<V, T, NV, false>(g, first);
}

// So few terms that their weights stay in registers, for T pixels at a time.
template <class V, int T, int K, int NV>
CONVLANE_NOINLINE void few_rows_held(const FewRowsArgs& g, int64_t first) {
  V w[K][NV];
  CONVLANE_UNROLL for (int k = 0; k < K; ++k) {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      w[k][j] = V::load(g.w + k * g.ldw + j * V::width);
      keep(w[k][j]);
    }
  }
  int64_t at[K];
  CONVLANE_UNROLL for (int k = 0; k < K; ++k) at[k] = g.terms[k];
  for (; first + T <= g.count; first += T) {
    V sums[T][NV];
    CONVLANE_UNROLL for (int i = 0; i < T; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
    }
    few_rows_claim<V, T, NV, 8 * T>(g, first);
    CONVLANE_UNROLL for (int k = 0; k < K; ++k) {
      CONVLANE_UNROLL for (int i = 0; i < T; ++i) {
        const auto a = V::factor(g.x + g.pixels[first + i] + at[k]);
        CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(a, w[k][j], sums[i][j]);
      }
    }
    few_rows_store<V, T, NV>(g, first, sums);
  }
  if constexpr (T > 1) {
    if (first < g.count) few_rows_held<V, 1, K, NV>(g, first);
  }
}

template <class V, int NV = V::vectors>
void few_rows_of(const FewRowsArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return few_rows_of<V, NV - 1>(g);
  }
  constexpr int kHeld = 9, kPixels = 2;  // 3 x 3 of one channel
  if constexpr (V::width > 1 && (kHeld + kPixels) * NV + 1 <= V::registers) {
    if (g.term_count == kHeld) return few_rows_held<V, kPixels, kHeld, NV>(g, 0);
  }
  constexpr int most = few_tile<V>(NV);
  for (int64_t first = 0, rows; first < g.count; first += rows) {
    const int64_t left = g.count - first;
    rows = left >= 2 * most ? most : left > most ? (left + 1) / 2 : left;  // small tiles wait for their own sums: the last two are of one size
    few_rows_tile_of<V, most, NV>(g, first, rows);
  }
}

template <class V>
void few_rows(const FewRowsArgs& g) {
  few_rows_of<V>(g);
  if (g.activation == Activation::linear || g.activation == Activation::relu) return;
  for (int64_t p = 0; p < g.count; ++p) activate<V>(g.activation, g.y + p * g.ldy, g.y + p * g.ldy, g.columns);
}

// Total: also the sums of y alone, in the registers of one more row.
template <class V, int M, int NV, bool Whole, bool Total>
CONVLANE_NOINLINE void few_cols_tile(const FewColsArgs& g) {
  V sums[M][NV], totals[NV];
  const float* x[M];
  CONVLANE_UNROLL for (int j = 0; j < NV; ++j) totals[j] = V::zero();
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
    x[i] = g.x + g.terms[i];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = V::zero();
  }
  const int last = g.columns - (NV - 1) * V::width;
  const int64_t ldy = g.ldy, ahead = g.ahead[0], further = g.ahead[1];
  const float* y = g.y;
  for (const int32_t *p = g.pixels, *end = p + g.count; p != end; ++p, y += ldy) {
    const int64_t at = *p;
    CONVLANE_PREFETCH(y + ahead);
    if constexpr (NV * V::width > 16) CONVLANE_PREFETCH(y + further);
    V d[NV];
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      d[j] = Whole || j < NV - 1 ? V::load(y + j * V::width) : V::load(y + j * V::width, last);
      keep(d[j]);
      if constexpr (Total) totals[j] = totals[j] + d[j];
    }
    CONVLANE_UNROLL for (int i = 0; i < M; ++i) {
      const auto a = V::factor(x[i] + at);
      CONVLANE_UNROLL for (int j = 0; j < NV; ++j) sums[i][j] = fma(a, d[j], sums[i][j]);
    }
  }
  const auto put = [&](float* to, V (&row)[NV]) CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int j = 0; j < NV; ++j) {
      V s = row[j];
      if (Whole || j < NV - 1) {
        if (g.accumulate) s = s + V::load(to + j * V::width);
        s.store(to + j * V::width);
      } else {
        if (g.accumulate) s = s + V::load(to + j * V::width, last);
        s.store(to + j * V::width, last);
      }
    }
  };
  CONVLANE_UNROLL for (int i = 0; i < M; ++i) put(g.sums + i * g.lds, sums[i]);
  if constexpr (Total) put(g.totals, totals);
}

template <class V, int M, int NV, bool Total>
void few_cols_of(const FewColsArgs& g) {
  if constexpr (M > 1) {
    if (g.m < M) return few_cols_of<V, M - 1, NV, Total>(g);
  }
  if constexpr (V::width < 16) {  // AVX-512 loads parts as fast as whole vectors
    if (g.columns == NV * V::width) return few_cols_tile<V, M, NV, true, Total>(g);
  }
  few_cols_tile<V, M, NV, false, Total>(g);
}

template <class V, int NV = V::vectors>
void few_cols(const FewColsArgs& g) {
  if constexpr (NV > 1) {
    if (g.vectors < NV) return few_cols<V, NV - 1>(g);
  }
  constexpr int most = few_tile<V>(NV);
  static_assert(most > 1, "the totals take the place of a row");
  if (g.totals == nullptr) return few_cols_of<V, most, NV, false>(g);
  few_cols_of<V, most - 1, NV, true>(g);
}

// Floats i .. of each segment, as many as `part` has; T segments at a time. Over: whole vectors are
// stored, and what is too much is overwritten by the next segment.
template <class V, int T, bool Over, class Part>
inline void few_gather_segments(const FewGatherArgs& g, int64_t i, int64_t segment, Part part) {
  const int64_t pixel = g.pixel;
  V sums[T];
  CONVLANE_UNROLL for (int s = 0; s < T; ++s) sums[s] = V::zero();
  for (int64_t r = 0; r < g.reach_count; ++r) {
    const int64_t count = g.reaches[r].count - i;
    const float* from = g.reaches[r].from + i + segment * pixel;
    if (count >= (Over ? g.width : V::width)) {
      CONVLANE_UNROLL for (int s = 0; s < T; ++s, from += pixel) sums[s] = sums[s] + V::load(from);
    } else if (count > 0) {
      CONVLANE_UNROLL for (int s = 0; s < T; ++s, from += pixel) sums[s] = sums[s] + V::load(from, static_cast<int>(count));
    }
  }
  float* to = g.line + i + segment * g.step;
  CONVLANE_UNROLL for (int s = 0; s < T; ++s, to += g.step) {
    if constexpr (Over) {
      sums[s].store(to);
    } else {
      part.store(sums[s], to);
    }
  }
}

template <class V, bool Over>
void few_gather_of(const FewGatherArgs& g) {
  for_vectors<V>(g.width, [&](int64_t i, auto part) {
    int64_t segment = 0;
    for (; segment + 4 <= g.segments; segment += 4) few_gather_segments<V, 4, Over>(g, i, segment, part);
    for (; segment < g.segments; ++segment) few_gather_segments<V, 1, Over>(g, i, segment, part);
  });
}

template <class V>
void few_gather(const FewGatherArgs& g) {
  if (g.width > Quad::width) return few_gather_of<V, false>(g);
  if (g.step != g.width) return few_gather_of<Quad, false>(g);
  few_gather_of<Quad, true>(g);
}

}  // namespace
}  // namespace convlane
