// SPDX-License-Identifier: MIT
// Weight gradients of groups: the sums of some channels of a group and three taps in registers, over the lines of a band, the last columns of dy rolling
// through others.
#pragma once
#include "grouped.h"
#include "loop.h"

namespace convlane {
namespace {

// Rows of taps x Channels of a group, from channel `i` on.
template <class V, int Rows, int Channels, int Taps, int Step, class Source>
CONVLANE_NOINLINE void grouped_sums(const GroupedWeightsArgs& g, const GroupedWeightsRow* rows, const GroupedVector<V>& vector, int64_t sums_at, int64_t i) {
  constexpr int kLive = (Taps + Step - 1) / Step;
  const Source source(vector.sources);
  const int64_t step = Taps == 1 ? g.step : Step;
  Int lanes[Channels];
  CONVLANE_UNROLL for (int k = 0; k < Channels; ++k) lanes[k] = V::int_load(vector.lanes) + V::int_set(static_cast<uint32_t>(i) + static_cast<uint32_t>(k));
  V sums[Rows][Channels][Taps];
  int64_t first = kLive - 1, last = g.target;  // columns of the target for which everything lies inside
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    CONVLANE_UNROLL for (int k = 0; k < Channels; ++k) {
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) sums[r][k][t] = V::zero();
    }
    const int64_t offset = rows[r].offset, end = g.source - offset - (Taps == 1 ? 1 : Step);
    const int64_t from = offset < 0 ? (-offset + step - 1) / step : 0, to = end < 0 ? 0 : end / step + 1;
    if (from > first) first = from;
    if (to < last) last = to;
  }
  const auto load = [&](const float* p) CONVLANE_INLINE_LAMBDA { return vector.targets == V::width ? V::load(p) : V::load(p, vector.targets); };
  for (int64_t line = 0; line < g.lines; ++line) {
    const float* x[Rows];
    CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) x[r] = rows[r].x + line * g.x_line + rows[r].offset * g.x_step + vector.source;
    const float* dy = g.dy + line * g.dy_line + vector.target;
    V d[kLive];
    CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) d[l] = V::zero();
    auto add = [&](int r, int j, const float* p, auto wanted) CONVLANE_INLINE_LAMBDA {
      const typename Source::Held held = source.hold(p);
      CONVLANE_UNROLL for (int k = 0; k < Channels; ++k) {
        V value = source.pick(held, i + k, lanes[k]);
        keep(value);
        CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) {
          if (j + l * Step < Taps && wanted(l)) sums[r][k][j + l * Step] = fma(value, d[l], sums[r][k][j + l * Step]);
        }
      }
    };
    auto roll = [&]() CONVLANE_INLINE_LAMBDA {
      CONVLANE_UNROLL for (int l = kLive - 1; l > 0; --l) d[l] = d[l - 1];
    };
    auto at_edge = [&](int64_t q) CONVLANE_INLINE_LAMBDA {
      if (q < g.target) d[0] = load(dy + q * g.dy_step);
      CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
        CONVLANE_UNROLL for (int j = 0; j < Step; ++j) {
          const int64_t column = q * step + rows[r].offset + j;
          if (column >= 0 && column < g.source) add(r, j, x[r] + (q * step + j) * g.x_step, [&](int l) { return q - l >= 0 && q - l < g.target; });
        }
      }
      roll();
    };
    const int64_t steps = g.target + kLive - 1;
    int64_t q = 0;
    for (; q < first && q < steps; ++q) at_edge(q);
    for (int64_t at = q * step * g.x_step; q < last; ++q, at += step * g.x_step) {
      d[0] = load(dy + q * g.dy_step);
      CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
        CONVLANE_UNROLL for (int j = 0; j < Step; ++j) add(r, j, x[r] + at + j * g.x_step, [](int) { return true; });
      }
      roll();
    }
    for (; q < steps; ++q) at_edge(q);
  }
  CONVLANE_UNROLL for (int r = 0; r < Rows; ++r) {
    float* to = rows[r].sums + sums_at + i * Taps * V::width;
    CONVLANE_UNROLL for (int k = 0; k < Channels; ++k) {
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, to += V::width) (V::load(to) + sums[r][k][t]).store(to);
    }
  }
}

template <class V, int Taps, int Step, class Source>
void grouped_sums_of(const GroupedWeightsArgs& g, const GroupedVector<V>& vector, int64_t sums_at) {
  constexpr int kMost = V::width == 1 ? 1 : V::registers >= 32 ? 4 : 2;  // channels whose sums registers hold
  int64_t row = 0;
  if constexpr (V::width > 1) {
    if (vector.from == 1) {  // sums of several rows hide the latency of an addition
      for (; row + 3 <= g.row_count; row += 3) grouped_sums<V, 3, 1, Taps, Step, Source>(g, g.rows + row, vector, sums_at, 0);
    }
  }
  for (; row < g.row_count; ++row) {
    int64_t i = 0;
    if constexpr (kMost > 1) {
      for (; i + kMost <= vector.from; i += kMost) grouped_sums<V, 1, kMost, Taps, Step, Source>(g, g.rows + row, vector, sums_at, i);
    }
    for (; i < vector.from; ++i) grouped_sums<V, 1, 1, Taps, Step, Source>(g, g.rows + row, vector, sums_at, i);
  }
}

template <class V, int Taps, int Step>
void grouped_weights_of(const GroupedWeightsArgs& g) {
  for (int64_t number = g.first_vector; number < g.last_vector; ++number) {
    const GroupedVector<V> vector(*g.lanes, number);
    with_sources<V>(*g.lanes, vector.sources, [&](auto source) { grouped_sums_of<V, Taps, Step, decltype(source)>(g, vector, number * g.sums_vector); });
  }
}

template <class V>
void grouped_weights(const GroupedWeightsArgs& g) {
  if (g.taps == 1) return grouped_weights_of<V, 1, 1>(g);
  if (g.step == 1) return grouped_weights_of<V, 3, 1>(g);
  grouped_weights_of<V, 3, 2>(g);
}

}  // namespace
}  // namespace convlane
