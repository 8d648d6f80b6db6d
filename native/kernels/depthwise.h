// SPDX-License-Identifier: MIT
// Depthwise convolution: the channels of the target across the vector, each reading its own channel of the source. One vector of channels sweeps along the
// width of a strip of lines: the sums of all columns that a column of the source takes part in roll through registers, so that a value is loaded once for all
// of them, wherever its neighbours lie in the cache.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"
#include "loop.h"

namespace convlane {
namespace {

inline int64_t between(int64_t low, int64_t x, int64_t high) { return x > high ? high : x < low ? low : x; }

// Two vectors side by side, as one. Channels that lie together are read together: where pixels are a power of two apart, the lines of a single vector's
// channels come from one bank of the second cache, and fall into few sets of the first.
template <class V>
struct Wide {
  static constexpr int width = 2 * V::width;
  static constexpr int registers = V::registers / 2;
  V low, high;

  static Wide zero() { return {V::zero(), V::zero()}; }
  static Wide load(const float* p) { return {V::load(p), V::load(p + V::width)}; }
  void store(float* p) const { low.store(p), high.store(p + V::width); }
  void stream(float* p) const { low.stream(p), high.stream(p + V::width); }
};
template <class V>
inline Wide<V> operator+(Wide<V> a, Wide<V> b) { return {a.low + b.low, a.high + b.high}; }
template <class V>
inline Wide<V> fma(Wide<V> a, Wide<V> b, Wide<V> c) { return {fma(a.low, b.low, c.low), fma(a.high, b.high, c.high)}; }
template <class V>
inline Wide<V> relu(Wide<V> a) { return {relu(a.low), relu(a.high)}; }
template <class V>
inline void keep(Wide<V>& a) { keep(a.low), keep(a.high); }

// Weights of a sweep, in registers: where these hold them beside the sums.
template <class V, int Rows, int Taps, bool InRegisters>
struct DepthwiseTaps {
  V taps[Rows * Taps];

  DepthwiseTaps(const DepthwiseRow* rows, int64_t step, int64_t c) {
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) taps[r * Taps + t] = V::load(rows[r].w + t * step + c);
    }
  }
  V at(int i) const { return taps[i]; }
};
// Else near each other in memory. The compiler must not know what lies there: it would keep all of them, and spill the sums.
template <class V, int Rows, int Taps>
struct DepthwiseTaps<V, Rows, Taps, false> {
  alignas(64) float taps[Rows * Taps * V::width];

  DepthwiseTaps(const DepthwiseRow* rows, int64_t step, int64_t c) {
    for (int r = 0; r < Rows; ++r) {
      for (int t = 0; t < Taps; ++t) V::load(rows[r].w + t * step + c).store(taps + (r * Taps + t) * V::width);
    }
    CONVLANE_FORGET(this);
  }
  V at(int i) const { return V::load(taps + i * V::width); }
};

template <class V>
struct DepthwiseStore {
  bool relu_now, streams;

  DepthwiseStore(Activation activation, bool streams) : relu_now(activation == Activation::relu), streams(streams) {}
  void operator()(V s, float* y) const {
    if (relu_now) s = relu(s);
    if (streams) {
      s.stream(y);
    } else {
      s.store(y);
    }
  }
};

// Fetches what comes next while a sweep goes on: of `Rows` rows, or lines, so many floats ahead, the part that is the sweep's share, from its beginning to
// its end. What a sweep reads lies scattered; what it fetches lies together, as the hardware's own prefetcher likes it.
template <class V, int Rows, int Step, bool Write>
struct DepthwiseAhead {
  const float* at[Rows];

  void step(int64_t q) const {
    constexpr int kLine = 16;  // floats
    CONVLANE_UNROLL for (int i = 0; i < Rows; ++i) {
      CONVLANE_UNROLL for (int j = 0; j < Step * V::width; j += kLine) {
        if (Write) {
          CONVLANE_PREFETCH_WRITE(at[i] + q * Step * V::width + j);
        } else {
          CONVLANE_PREFETCH(at[i] + q * Step * V::width + j);
        }
      }
    }
  }
};

// A strip of Lines lines of Rows rows each. Step q of the sweep adds `Stride` columns of the source to the columns q, q - 1, … of the target, and ends the
// last of these.
template <class V, int Taps, int Stride, int Lines, int Rows>
CONVLANE_NOINLINE void depthwise_sweep(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  constexpr int kLive = (Taps + Stride - 1) / Stride;
  constexpr int kSources = (Lines - 1) * Stride + Rows;
  constexpr int kNew = kSources < Lines * Stride ? kSources : Lines * Stride;  // rows that the strip before didn't have
  const DepthwiseTaps<V, Rows, Taps, true> w(strip.rows, g.w_step, c);
  const V bias = g.bias == nullptr ? V::zero() : V::load(g.bias + c);
  const DepthwiseStore<V> store(g.activation, g.streams);
  const float* x[kSources];
  CONVLANE_UNROLL for (int i = 0; i < kSources; ++i) x[i] = strip.rows[i].x + c;
  float* y[Lines];
  CONVLANE_UNROLL for (int r = 0; r < Lines; ++r) y[r] = strip.y + r * g.y_line + c;
  V sums[Lines][kLive];
  CONVLANE_UNROLL for (int r = 0; r < Lines; ++r) {
    CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) sums[r][l] = bias;
  }
  DepthwiseAhead<V, kNew, Stride, false> x_next;
  CONVLANE_UNROLL for (int i = 0; i < kNew; ++i) x_next.at[i] = strip.rows[kSources - kNew + i].x + g.x_ahead + c * g.source;
  DepthwiseAhead<V, Lines, 1, true> y_next;
  CONVLANE_UNROLL for (int r = 0; r < Lines; ++r) y_next.at[r] = strip.y + r * g.y_line + g.y_ahead + c * g.target;
  auto add = [&](int j, int64_t at) CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int i = 0; i < kSources; ++i) {
      V value = V::load(x[i] + at);
      keep(value);
      CONVLANE_UNROLL for (int r = 0; r < Lines; ++r) {
        const int row = i - r * Stride;
        if (row < 0 || row >= Rows) continue;
        CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) {
          if (j + l * Stride < Taps) sums[r][l] = fma(value, w.at(row * Taps + j + l * Stride), sums[r][l]);
        }
      }
    }
  };
  auto end = [&](int64_t out, bool wanted) CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int r = 0; r < Lines; ++r) {
      if (wanted) store(sums[r][kLive - 1], y[r] + out);
      CONVLANE_UNROLL for (int l = kLive - 1; l > 0; --l) sums[r][l] = sums[r][l - 1];
      sums[r][0] = bias;
    }
  };
  auto at_edge = [&](int64_t q) CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) {
      const int64_t column = q * Stride - g.before + j;
      if (column >= 0 && column < g.source) add(j, column * g.x_step);
    }
    end((q - (kLive - 1)) * g.y_step, q >= kLive - 1);
  };

  const int64_t steps = g.target + kLive - 1;
  const int64_t first = between(kLive - 1, (g.before + Stride - 1) / Stride, steps);
  const int64_t last = between(0, (g.source + g.before) / Stride, steps);  // from first to last all columns lie inside
  int64_t q = 0;
  for (; q < first; ++q) at_edge(q);
  for (int64_t at = (q * Stride - g.before) * g.x_step, out = (q - (kLive - 1)) * g.y_step; q < last; ++q) {
    if (g.x_ahead != 0) x_next.step(q);
    if (g.y_ahead != 0) y_next.step(q);
    CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) add(j, at + j * g.x_step);
    end(out, true);
    at += Stride * g.x_step;
    out += g.y_step;
  }
  for (; q < steps; ++q) at_edge(q);
}

// A line of the transposed convolution. Step q adds column q of the source to the columns of the target that it takes part in, and ends the first `Stride`.
template <class V, int Taps, int Stride, int Rows>
CONVLANE_NOINLINE void depthwise_transposed(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  constexpr int kLive = Taps > Stride ? Taps : Stride;
  constexpr bool kInRegisters = Rows * Taps + kLive + 1 <= V::registers;
  const DepthwiseTaps<V, Rows, Taps, kInRegisters> w(strip.rows, g.w_step, c);
  const V bias = g.bias == nullptr ? V::zero() : V::load(g.bias + c);
  const DepthwiseStore<V> store(g.activation, g.streams);
  const float* x[Rows];
  CONVLANE_UNROLL for (int i = 0; i < Rows; ++i) x[i] = strip.rows[i].x + c;
  float* y = strip.y + c;
  const DepthwiseAhead<V, 1, 1, false> x_next{{strip.rows[Rows - 1].x + g.x_ahead + c * g.source}};
  const DepthwiseAhead<V, 1, Stride, true> y_next{{strip.y + g.y_ahead + c * g.target}};
  V sums[kLive];
  CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) sums[l] = bias;
  auto add = [&](int64_t at) CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int i = 0; i < Rows; ++i) {
      V value = V::load(x[i] + at);
      keep(value);
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) sums[t] = fma(value, w.at(i * Taps + t), sums[t]);
    }
  };
  auto next = [&]() CONVLANE_INLINE_LAMBDA {
    CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) sums[l] = l + Stride < kLive ? sums[l + Stride < kLive ? l + Stride : 0] : bias;
  };
  auto at_edge = [&](int64_t q) CONVLANE_INLINE_LAMBDA {
    if (q < g.source) add(q * g.x_step);
    CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) {
      const int64_t column = q * Stride - g.before + j;
      if (column >= 0 && column < g.target) store(sums[j], y + column * g.y_step);
    }
    next();
  };

  const int64_t steps = (g.target - 1 + g.before) / Stride + 1;
  const int64_t first = between(0, (g.before + Stride - 1) / Stride, steps);
  const int64_t inside = (g.target + g.before) / Stride;
  const int64_t last = inside < g.source ? inside : g.source;
  int64_t q = 0;
  for (; q < first; ++q) at_edge(q);
  for (int64_t at = q * g.x_step, out = (q * Stride - g.before) * g.y_step; q < last; ++q) {
    if (g.x_ahead != 0) x_next.step(q);
    if (g.y_ahead != 0) y_next.step(q);
    add(at);
    CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) store(sums[j], y + out + j * g.y_step);
    next();
    at += g.x_step;
    out += Stride * g.y_step;
  }
  for (; q < steps; ++q) at_edge(q);
}

// Lines whose rows no sweep has a form for: none, or more than a window is high.
template <class V>
CONVLANE_NOINLINE void depthwise_columns(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  const V bias = g.bias == nullptr ? V::zero() : V::load(g.bias + c);
  const DepthwiseStore<V> store(g.activation, g.streams);
  for (int64_t i = 0; i < g.target; ++i) {
    V sum = bias;
    for (int64_t r = 0; r < strip.row_count; ++r) {
      const DepthwiseRow& row = strip.rows[r];
      for (int64_t t = 0; t < g.taps; ++t) {
        const int64_t at = g.transposed ? i + g.before - t : i * g.stride - g.before + t;
        if (at < 0 || (g.transposed && at % g.stride != 0)) continue;
        const int64_t j = g.transposed ? at / g.stride : at;
        if (j < g.source) sum = fma(V::load(row.x + j * g.x_step + c), V::load(row.w + t * g.w_step + c), sum);
      }
    }
    store(sum, strip.y + i * g.y_step + c);
  }
}

template <class V, int Taps, int Stride, int Rows>
inline void depthwise_rows(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  if constexpr (Rows == 0) {
    depthwise_columns<V>(g, strip, c);
  } else if (strip.row_count != Rows) {
    depthwise_rows<V, Taps, Stride, Rows - 1>(g, strip, c);
  } else {
    depthwise_sweep<V, Taps, Stride, 1, Rows>(g, strip, c);
  }
}

template <class V, int Taps, int Stride, int Rows>
inline void depthwise_transposed_rows(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  if constexpr (Rows == 0) {
    depthwise_columns<V>(g, strip, c);
  } else if (strip.row_count != Rows) {
    depthwise_transposed_rows<V, Taps, Stride, Rows - 1>(g, strip, c);
  } else {
    depthwise_transposed<V, Taps, Stride, Rows>(g, strip, c);
  }
}

template <class V, int Taps, int Stride>
void depthwise_strip(const DepthwiseArgs& g, const DepthwiseStrip& strip, int64_t c) {
  constexpr int kRows = (Taps + Stride - 1) / Stride;
  if constexpr (Stride > 1 && Taps == 3) {
    if (g.transposed) return depthwise_transposed_rows<V, Taps, Stride, kRows>(g, strip, c);
  }
  if constexpr (V::registers > Taps * Taps + kDepthwiseLines * kRows) {
    if (strip.lines == kDepthwiseLines) return depthwise_sweep<V, Taps, Stride, kDepthwiseLines, Taps>(g, strip, c);
  }
  depthwise_rows<V, Taps, Stride, Taps>(g, strip, c);
}

// Where registers hold 25 weights beside the sums of two lines and a value of the source.
template <class V>
inline constexpr bool kDepthwiseWindows5 = V::registers >= 32;

template <class V>
inline auto depthwise_form(const DepthwiseArgs& g) {
  if constexpr (kDepthwiseWindows5<V>) {
    if (g.taps == 5) return depthwise_strip<V, 5, 2>;
  }
  return g.stride == 1 ? depthwise_strip<V, 3, 1> : depthwise_strip<V, 3, 2>;
}

// Channels in vectors, two by two where registers hold their sums and weights; the last one overlaps the one before: the same sums are written twice.
template <class V>
void depthwise_convolution(const DepthwiseArgs& g) {
  int64_t c = 0;
  if (g.taps == 3 && (V::registers >= 32 || g.transposed)) {
    const auto sweep = depthwise_form<Wide<V>>(g);
    for (; c + Wide<V>::width <= g.channels; c += Wide<V>::width) {
      for (int64_t s = 0; s < g.strip_count; ++s) sweep(g, g.strips[s], c);
    }
  }
  const auto sweep = depthwise_form<V>(g);
  for (; c < g.channels; c += V::width) {
    const int64_t from = c + V::width <= g.channels ? c : g.channels - V::width;
    for (int64_t s = 0; s < g.strip_count; ++s) sweep(g, g.strips[s], from);
  }
  if (g.activation == Activation::linear || g.activation == Activation::relu) return;
  for (int64_t s = 0; s < g.strip_count; ++s) {
    for (int64_t r = 0; r < g.strips[s].lines; ++r) {
      float* y = g.strips[s].y + r * g.y_line;
      for (int64_t i = 0; i < g.target; ++i, y += g.y_step) activate<V>(g.activation, y, y, g.channels);
    }
  }
}

}  // namespace
}  // namespace convlane
