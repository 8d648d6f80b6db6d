// SPDX-License-Identifier: MIT
// Convolution of groups: the targets of as many whole groups as fit a vector, or of a part of one, beside each other. What its lanes read of the source they
// find in a vector of channels, by a permutation; a single group's channels are broadcast. Each such value serves three taps of a tile of columns.
#pragma once
#include "../cpu/kernel_table.h"
#include "activation.h"

namespace convlane {
namespace {

alignas(64) constexpr float kOutside[kGroupSources] = {};

// Where the lanes of a target find channel i of their groups: hold what lies at p, the first of the vector's channels of the source, then pick.
template <class V>
struct OneGroup {
  using Held = const float*;
  static constexpr bool in_register = false;
  explicit OneGroup(int) {}
  Held hold(const float* p) const { return p; }
  V pick(Held p, int64_t i, Int) const { return V::set(p[i]); }
};
template <class V>
struct OneVector {
  using Held = V;
  static constexpr bool in_register = true;
  int count;
  explicit OneVector(int channels) : count(channels) {}
  Held hold(const float* p) const { return V::load(p, count); }
  V pick(Held x, int64_t, Int lanes) const { return permute(x, lanes); }
};

// One vector of targets.
template <class V>
struct GroupedVector {
  int64_t source, target;           // first channels
  int sources, targets;
  int64_t from;                     // channels of a group of the source
  alignas(64) int32_t lanes[V::width];  // where channel 0 of each lane's group is

  GroupedVector(const GroupLanes& g, int64_t vector)
      : source(source_of(g, vector)), target(target_of(g, vector)), sources(sources_of(g, vector)), targets(targets_of(g, vector)), from(g.from), lanes{} {
    for (int64_t k = 0; k < g.together; ++k) {
      for (int64_t l = k * g.to; l < (k + 1) * g.to && l < V::width; ++l) lanes[l] = static_cast<int32_t>(k * from);
    }
  }
};

// The form that fits: f(source), of the types above.
template <class V, class F>
inline void with_sources(const GroupLanes& lanes, int channels, const F& f) {
  if constexpr (V::width > 1) {
    if (lanes.together > 1) return f(OneVector<V>(channels));
  }
  f(OneGroup<V>(channels));
}

// T columns of the target from `first` on. Pairs: 2 T, those that columns `first` .. of the source give with taps 0 and 1, and the ones before with tap 2.
template <class V, int T, int Taps, int Step, bool Pairs, class Source>
CONVLANE_NOINLINE void grouped_tile(const GroupedArgs& g, const GroupedLine& line, const GroupedVector<V>& vector, int64_t weights, int64_t first) {
  constexpr int kReach = Pairs ? T + 1 : (T - 1) * Step + Taps;
  constexpr int kSums = Pairs ? 2 * T : T;
  const Source source(vector.sources);
  const Int first_lanes = V::int_load(vector.lanes), one = V::int_set(1);
  const int64_t step = Pairs ? 1 : g.step, apart = Taps == 1 ? step : 1;
  const int64_t first_target = Pairs ? 2 * first - g.before : first;
  float* y = line.y + first_target * g.y_step + vector.target;
  if (g.ahead != 0) {
    const float* next = line.next + first * step * g.x_step + vector.source;
    for (int64_t row = 0; row < g.ahead; ++row, next += g.ahead_line) {
      CONVLANE_UNROLL for (int j = 0; j < T * Step; ++j) CONVLANE_PREFETCH(next + j * g.x_step);
    }
    if (!g.streams) {
      CONVLANE_UNROLL for (int s = 0; s < kSums; ++s) CONVLANE_PREFETCH_WRITE(y + g.y_ahead + s * g.y_step);
    }
  }
  V sums[kSums];
  CONVLANE_UNROLL for (int s = 0; s < kSums; ++s) sums[s] = V::zero();
  for (int64_t r = 0; r < line.row_count; ++r) {
    const int64_t column = first * step + line.rows[r].offset;
    const float* x = line.rows[r].x + vector.source + column * g.x_step;
    const float* at[kReach];
    CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) {
      at[j] = static_cast<uint64_t>(column + j * apart) < static_cast<uint64_t>(g.source) ? x + j * apart * g.x_step : kOutside;
    }
    const float* w = line.rows[r].w + weights;
    auto load_taps = [&](V (&taps)[Taps]) CONVLANE_INLINE_LAMBDA {
      CONVLANE_UNROLL for (int t = 0; t < Taps; ++t, w += V::width) {
        taps[t] = V::load(w);
        keep(taps[t]);
      }
    };
    auto add = [&](V value, V (&taps)[Taps], int j) CONVLANE_INLINE_LAMBDA {
      if constexpr (Pairs) {
        if (j > 0) sums[2 * j - 2] = fma(value, taps[0], sums[2 * j - 2]);
        if (j > 0) sums[2 * j - 1] = fma(value, taps[1], sums[2 * j - 1]);
        if (j < T) sums[2 * j] = fma(value, taps[2], sums[2 * j]);
      } else {
        CONVLANE_UNROLL for (int t = 0; t < Taps; ++t) {
          if (j >= t && (j - t) % Step == 0 && (j - t) / Step < T) sums[(j - t) / Step] = fma(value, taps[t], sums[(j - t) / Step]);
        }
      }
    };
    Int lanes = first_lanes;
    V taps[Taps];
    if constexpr (Source::in_register && kReach + kSums + Taps + 3 <= V::registers) {
      typename Source::Held held[kReach];
      CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) {
        held[j] = source.hold(at[j]);
        keep(held[j]);
      }
      for (int64_t i = 0; i < vector.from; ++i, lanes = lanes + one) {
        load_taps(taps);
        CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) add(source.pick(held[j], i, lanes), taps, j);
      }
    } else {
      for (int64_t i = 0; i < vector.from; ++i, lanes = lanes + one) {
        load_taps(taps);
        CONVLANE_UNROLL for (int j = 0; j < kReach; ++j) {
          V value = source.pick(source.hold(at[j]), i, lanes);
          keep(value);
          add(value, taps, j);
        }
      }
    }
  }
  const V bias = g.bias == nullptr ? V::zero() : V::load(g.bias + vector.target, vector.targets);
  const bool relu_now = g.activation == Activation::relu;
  CONVLANE_UNROLL for (int s = 0; s < kSums; ++s, y += g.y_step) {
    if (first_target + s < 0 || first_target + s >= g.target) continue;
    V sum = sums[s];
    if (g.bias != nullptr) sum = sum + bias;
    if (relu_now) sum = relu(sum);
    if (g.streams) {
      sum.stream(y);
    } else if (vector.targets == V::width) {
      sum.store(y);
    } else {
      sum.store(y, vector.targets);
    }
  }
}

// Tiles of 8, 7 and 4 columns, or of 4 where few would be of another size; the last one may overlap the one before.
template <class V, int Taps, int Step, bool Pairs, class Source>
inline void grouped_columns(const GroupedArgs& g, const GroupedLine& line, const GroupedVector<V>& vector, int64_t weights) {
  constexpr bool kNeighbours = Taps == 3 && !Pairs, kUsual = kNeighbours && Step == 1;
  constexpr bool kEight = V::width > 1 && (Pairs ? V::registers >= 32 : true) && (Source::in_register || kUsual), kSeven = kEight && kNeighbours;
  const int64_t begin = Pairs ? g.before / 2 : 0, end = Pairs ? (g.before + g.target + 1) / 2 : g.target;
  for (int64_t first = begin; first < end;) {
    const int64_t rest = end - first;
    int64_t width = 4;
    if (kEight && rest > 4) width = kSeven && (rest <= 7 || rest == 13 || rest == 14) ? 7 : 8;
    if (rest < width && end - width >= begin) first = end - width;
    if constexpr (kEight) {
      if (width == 8) grouped_tile<V, 8, Taps, Step, Pairs, Source>(g, line, vector, weights, first);
    }
    if constexpr (kSeven) {
      if (width == 7) grouped_tile<V, 7, Taps, Step, Pairs, Source>(g, line, vector, weights, first);
    }
    if (width == 4) grouped_tile<V, 4, Taps, Step, Pairs, Source>(g, line, vector, weights, first);
    first += width;
  }
}

template <class V, int Taps, int Step, bool Pairs>
void grouped_of_form(const GroupedArgs& g) {
  for (int64_t number = g.first_vector; number < g.last_vector; ++number) {
    const GroupedVector<V> vector(*g.lanes, number);
    with_sources<V>(*g.lanes, vector.sources, [&](auto source) {
      for (int64_t l = 0; l < g.line_count; ++l) {
        grouped_columns<V, Taps, Step, Pairs, decltype(source)>(g, g.lines[l], vector, number * g.w_vector);
      }
    });
    if (g.activation == Activation::linear || g.activation == Activation::relu) continue;
    for (int64_t l = 0; l < g.line_count; ++l) {
      float* y = g.lines[l].y + vector.target;
      for (int64_t q = 0; q < g.target; ++q, y += g.y_step) activate<V>(g.activation, y, y, vector.targets);
    }
  }
}

template <class V>
void grouped_convolution(const GroupedArgs& g) {
  if (g.pairs) return grouped_of_form<V, 3, 1, true>(g);
  if (g.taps == 1) return grouped_of_form<V, 1, 1, false>(g);
  if (g.step == 1) return grouped_of_form<V, 3, 1, false>(g);
  grouped_of_form<V, 3, 2, false>(g);
}

}  // namespace
}  // namespace convlane
