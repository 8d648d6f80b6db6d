// SPDX-License-Identifier: MIT
// Winograd's minimal filtering (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016), one template for all sizes. F(m, r) works on
// n = m + r - 1 points: 0, +-1, +-2, +-1/2 (as many as there are) and infinity. A and G evaluate a polynomial at the points, G's rows scaled; their
// transposes give coefficients back. Rows of +-p share their even and odd parts, which halves the operations.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

// Points of n: 0, the pairs, infinity; and what scales G's rows at 0 and at each pair (at infinity: 1).
template <int n> struct Points;
template <> struct Points<4> {
  static constexpr double pair[] = {1}, scale[] = {0.5}, zero = 1;
};
template <> struct Points<6> {
  static constexpr double pair[] = {1, 2}, scale[] = {-1.0 / 6, 1.0 / 24}, zero = 0.25;
};
template <> struct Points<8> {
  static constexpr double pair[] = {1, 2, 0.5}, scale[] = {-2.0 / 9, 1.0 / 90, 32.0 / 45}, zero = 1;
};

constexpr double power(double base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

// Adds factor * x to sum; the first term begins it.
template <class V>
inline void add_term(V& sum, bool first, float factor, V x) {
  if (factor == 1.0f) {
    sum = first ? x : sum + x;
  } else {
    sum = first ? V::set(factor) * x : fma(V::set(factor), x, sum);
  }
}

// The polynomial with `in` as its K coefficients at the points of n: A, and with Scaled G.
template <class V, int n, int K, bool Scaled>
struct Evaluate {
  static constexpr int from = K, to = n;
  static CONVLANE_INLINE void apply(const V* in, V* out) {
    using P = Points<n>;
    out[0] = Scaled && P::zero != 1 ? V::set(static_cast<float>(P::zero)) * in[0] : in[0];
    CONVLANE_UNROLL for (int k = 0; k < n / 2 - 1; ++k) {
      V even = V::zero(), odd = V::zero();
      CONVLANE_UNROLL for (int i = 0; i < K; ++i) {
        const float factor = static_cast<float>((Scaled ? P::scale[k] : 1.0) * power(P::pair[k], i));
        if (i % 2 == 0) {
          add_term(even, i == 0, factor, in[i]);
        } else {
          add_term(odd, i == 1, factor, in[i]);
        }
      }
      out[2 * k + 1] = even + odd;
      out[2 * k + 2] = even - odd;
    }
    out[n - 1] = in[K - 1];
  }
};

// Its transpose: A^T, and with Scaled G^T.
template <class V, int n, int K, bool Scaled>
struct Collect {
  static constexpr int from = n, to = K;
  static CONVLANE_INLINE void apply(const V* in, V* out) {
    using P = Points<n>;
    V sum[n / 2 - 1], difference[n / 2 - 1];
    CONVLANE_UNROLL for (int k = 0; k < n / 2 - 1; ++k) {
      sum[k] = in[2 * k + 1] + in[2 * k + 2];
      difference[k] = in[2 * k + 1] - in[2 * k + 2];
    }
    CONVLANE_UNROLL for (int i = 0; i < K; ++i) {
      V total = V::zero();
      CONVLANE_UNROLL for (int k = 0; k < n / 2 - 1; ++k) {
        const float factor = static_cast<float>((Scaled ? P::scale[k] : 1.0) * power(P::pair[k], i));
        add_term(total, k == 0, factor, i % 2 == 0 ? sum[k] : difference[k]);
      }
      if (i == 0) add_term(total, false, static_cast<float>(Scaled ? P::zero : 1.0), in[0]);
      if (i == K - 1) total = total + in[n - 1];
      out[i] = total;
    }
  }
};

// B^T.
template <class V, int n>
struct ToPoints {
  static constexpr int from = n, to = n;
  static CONVLANE_INLINE void apply(const V* d, V* out) {
    const auto c = [](double x) { return V::set(static_cast<float>(x)); };
    const auto pair = [out](int k, V even, V odd) {
      out[2 * k + 1] = even + odd;
      out[2 * k + 2] = even - odd;
    };
    if constexpr (n == 4) {
      out[0] = d[0] - d[2];
      pair(0, d[2], d[1]);
      out[3] = d[3] - d[1];
    } else if constexpr (n == 6) {
      out[0] = fma(c(4), d[0], fnma(c(5), d[2], d[4]));
      pair(0, fnma(c(4), d[2], d[4]), fnma(c(4), d[1], d[3]));
      const V odd = d[3] - d[1];
      pair(1, d[4] - d[2], odd + odd);
      out[5] = fma(c(4), d[1], fnma(c(5), d[3], d[5]));
    } else {
      out[0] = fma(c(5.25), d[4] - d[2], d[0] - d[6]);
      pair(0, fnma(c(4.25), d[4], d[2] + d[6]), fnma(c(4.25), d[3], d[1] + d[5]));
      pair(1, fma(c(0.25), d[2], fnma(c(1.25), d[4], d[6])), fma(c(0.5), d[1], fnma(c(2.5), d[3], d[5] + d[5])));
      pair(2, fma(c(4), d[2], fnma(c(5), d[4], d[6])), fma(c(0.5), d[5], fnma(c(2.5), d[3], d[1] + d[1])));
      out[7] = fma(c(5.25), d[3] - d[5], d[7] - d[1]);
    }
  }
};

// Whether n x n points without those that aren't needed have row i, and column j.
template <int n>
CONVLANE_INLINE bool has_row(const WinogradNeeds& needs, int i) {
  return (i > 0 || needs.first_row) && (i < n - 1 || needs.last_row);
}
template <int n>
CONVLANE_INLINE bool has_column(const WinogradNeeds& needs, int j) {
  return (j > 0 || needs.first_column) && (j < n - 1 || needs.last_column);
}

constexpr WinogradNeeds kAllNeeded{true, true, true, true};

// out = L in L^T for one vector of channels: load(i, j) gives in, store(i, j, x) takes out where it is needed.
template <class V, class L, class Load, class Store>
CONVLANE_INLINE void both_sides(const Load& load, const Store& store, const WinogradNeeds& needs = kAllNeeded) {
  V half[L::from][L::to];  // columns of L in, one after the other
  const auto first = [&](int j) {
    V column[L::from], out[L::to];
    CONVLANE_UNROLL for (int i = 0; i < L::from; ++i) column[i] = load(i, j);
    L::apply(column, out);
    CONVLANE_UNROLL for (int i = 0; i < L::to; ++i) half[j][i] = out[i];
  };
  const auto second = [&](int i) {
    if (!has_row<L::to>(needs, i)) return;
    V row[L::from], out[L::to];
    CONVLANE_UNROLL for (int j = 0; j < L::from; ++j) row[j] = half[j][i];
    L::apply(row, out);
    CONVLANE_UNROLL for (int j = 0; j < L::to; ++j) {
      if (has_column<L::to>(needs, j)) store(i, j, out[j]);
    }
  };
  if constexpr (L::from * L::to <= 24 && V::registers >= 32) {  // all of it in registers
    CONVLANE_UNROLL for (int j = 0; j < L::from; ++j) first(j);
    CONVLANE_UNROLL for (int i = 0; i < L::to; ++i) second(i);
  } else {
    for (int j = 0; j < L::from; ++j) first(j);
    for (int i = 0; i < L::to; ++i) second(i);
  }
}

template <class V, class L>
CONVLANE_NOINLINE void winograd_gather(const WinogradTile& t) {
  const int64_t step = t.step;
  const float *const *pixels = t.pixels, *const *next = t.next;
  for_vectors<V>(t.channels, [=, &t](int64_t c, auto part) {
    float* points = t.points + c / kWinogradLine * t.line + c % kWinogradLine;
    if (next != nullptr) {
      CONVLANE_UNROLL for (int i = 0; i < L::from; ++i) {
        CONVLANE_UNROLL for (int j = 2; j < L::from; ++j) CONVLANE_PREFETCH(next[i * L::from + j] + c);  // the columns before are this tile's, too
      }
    }
    both_sides<V, L>([=](int i, int j) { return part.load(pixels[i * L::from + j] + c); },
                     [=](int i, int j, V x) { part.store(x, points + (i * L::to + j) * step); }, t.needs);
  });
}

template <class V, class L, bool Stream>
CONVLANE_INLINE void scatter(const WinogradOutput& t, int64_t tile) {
  const int64_t step = t.step, offset = t.offset;
  const float *from = t.points + tile * t.width, *bias = t.bias;
  float* const* pixels = t.pixels + tile * L::to * L::to;
  const bool with_relu = t.relu;
  for_vectors<V>(t.channels, [=](int64_t c, auto part) {
    const float* points = from + c;
    const V shift = bias == nullptr ? V::zero() : part.load(bias + c);
    both_sides<V, L>([=](int i, int j) { return part.load(points + (i * L::from + j) * step); },
                     [=](int i, int j, V x) {
                       float* pixel = pixels[i * L::to + j];
                       if (pixel == nullptr) return;
                       pixel += offset + c;
                       V y = x + shift;
                       if (with_relu) y = relu(y);
                       if constexpr (Stream) {
                         y.stream(pixel);
                       } else {
                         part.store(y, pixel);
                       }
                     });
  });
}

template <class V, class L>
CONVLANE_NOINLINE void winograd_scatter(const WinogradOutput& t) {
  for (int64_t tile = 0; tile < t.tiles; ++tile) {
    if (t.stream) {
      scatter<V, L, true>(t, tile);
    } else {
      scatter<V, L, false>(t, tile);
    }
  }
  if (t.stream) stream_fence();
}

template <class V, class L>
CONVLANE_NOINLINE void winograd_filters(const WinogradFilters& f) {
  const int64_t from_step = f.from_step, to_step = f.to_step;
  const float *from = f.from, *end = from + f.count;
  for (float* to = f.to; from < end; from += V::width, to += V::width) {
    both_sides<V, L>([=](int i, int j) { return V::load(from + (i * L::from + j) * from_step); },
                     [=](int i, int j, V x) { x.store(to + (i * L::to + j) * to_step); });
  }
}

template <class V, int m, int r>
constexpr WinogradGradient winograd_gradient();

template <class V, int m, int r>
constexpr WinogradKernels winograd_kernels() {
  constexpr int n = m + r - 1;
  return {n,
          m,
          r,
          winograd_gather<V, ToPoints<V, n>>,
          winograd_scatter<V, Collect<V, n, m, false>>,
          winograd_filters<V, Evaluate<V, n, r, true>>,
          winograd_gradient<V, m, r>()};
}

}  // namespace
}  // namespace convlane
