// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"
#include "math.h"

namespace convlane {
namespace {

template <int n>
struct Count {
  static constexpr int value = n;
};

// Calls body with the number of taps or windows where it is a common one, so that loops over them are unrolled; else with 0.
template <class Body>
inline void with_count(int32_t count, const Body& body) {
  switch (count) {
    case 1: return body(Count<1>{});
    case 2: return body(Count<2>{});
    case 4: return body(Count<4>{});
    case 9: return body(Count<9>{});
    default: return body(Count<0>{});
  }
}

// f(t) for t from `first` to n, or to `count` where n is 0.
template <int n, class F>
inline void for_counted(int32_t first, int32_t count, const F& f) {
  if (n > 0) {
    CONVLANE_UNROLL for (int32_t t = first; t < n; ++t) f(t);
  } else {
    for (int32_t t = first; t < count; ++t) f(t);
  }
}

// Calls body(offset of the output, offset of the input, part) for the channels of each position of a run.
template <class V, class Body>
inline void for_run(const PoolRun& run, int64_t channels, int64_t out_step, int64_t in_step, const Body& body) {
  for (int64_t i = 0; i < run.count; ++i) {
    const int64_t out = i * out_step, in = i * in_step;
    if (run.ahead != nullptr) {
      for (int64_t line = 0; line < run.ahead_step; line += 16) CONVLANE_PREFETCH(run.ahead + i * run.ahead_step + line);
    }
    for_vectors<V>(channels, [&](int64_t c, auto part) { body(out + c, in + c, part); });
  }
}

// The first of the largest: a NaN is larger than every number. Without one among the taps (their sum tells) a comparison for each will do.
template <class V, bool Positions, int Taps>
void pool_max_run(const PoolMaxArgs& g) {
  const float* known[Taps > 0 ? Taps : 1];
  Int ids[Taps > 0 ? Taps : 1];
  for (int t = 0; t < Taps; ++t) known[t] = g.taps[t], ids[t] = V::int_set(static_cast<uint32_t>(g.tap_ids[t]));
  const auto id = [&](int32_t t) { return Taps > 0 ? ids[t] : V::int_set(static_cast<uint32_t>(g.tap_ids[t])); };
  for_run<V>(g.run, g.channels, g.channels, g.run.step, [&](int64_t out, int64_t in, auto part) {
    const auto tap = [&](int32_t t) { return part.load((Taps > 0 ? known[t] : g.taps[t]) + in); };
    V best = tap(0), total = best;
    Int position = id(0);
    for_counted<Taps>(1, g.tap_count, [&](int32_t t) {
      const V x = tap(t);
      const Mask better = less(best, x);
      best = select(better, x, best);
      total = total + x;
      if (Positions) position = select(better, id(t), position);
    });
    if (any(is_nan(total))) {
      best = tap(0), position = id(0);
      for (int32_t t = 1; t < g.tap_count; ++t) {
        const V x = tap(t);
        const Mask better = but_not(either(less(best, x), is_nan(x)), is_nan(best));
        best = select(better, x, best);
        position = select(better, V::int_set(static_cast<uint32_t>(g.tap_ids[t])), position);
      }
    }
    put(g.run.stream, part, best, g.y + out);
    if (!Positions) return;
    if (g.run.stream) {
      as_float(position).stream(reinterpret_cast<float*>(g.positions + out));
    } else {
      part.store(position, g.positions + out);
    }
  });
}

template <class V>
void pool_max(const PoolMaxArgs& g) {
  with_count(g.tap_count, [&](auto count) {
    if (g.positions != nullptr) {
      pool_max_run<V, true, decltype(count)::value>(g);
    } else {
      pool_max_run<V, false, decltype(count)::value>(g);
    }
  });
}

template <class V, int Taps>
void pool_average_run(const PoolAverageArgs& g) {
  const float* known[Taps > 0 ? Taps : 1];
  for (int t = 0; t < Taps; ++t) known[t] = g.taps[t];
  const float* const* taps = Taps > 0 ? known : g.taps;
  const V scale = V::set(g.scale);
  for_run<V>(g.run, g.channels, g.channels, g.run.step, [&](int64_t out, int64_t in, auto part) {
    V total = V::zero();
    for_counted<Taps>(0, g.tap_count, [&](int32_t t) { total = total + part.load(taps[t] + in); });
    put(g.run.stream, part, total * scale, g.y + out);
  });
}

template <class V>
void pool_average(const PoolAverageArgs& g) {
  with_count(g.tap_count, [&](auto count) { pool_average_run<V, decltype(count)::value>(g); });
}

template <class V, int Windows>
void pool_max_backward_run(const PoolMaxBackwardArgs& g) {
  constexpr int kKnown = Windows > 0 ? Windows : 1;
  const float* dy[kKnown];
  const int32_t* positions[kKnown];
  Int ids[kKnown];
  for (int w = 0; w < Windows; ++w) dy[w] = g.dy[w], positions[w] = g.positions[w], ids[w] = V::int_set(static_cast<uint32_t>(g.tap_ids[w]));
  for_run<V>(g.run, g.channels, g.run.step, g.channels, [&](int64_t out, int64_t in, auto part) {
    V total = V::zero();
    for_counted<Windows>(0, g.window_count, [&](int32_t w) {
      const Int id = Windows > 0 ? ids[w] : V::int_set(static_cast<uint32_t>(g.tap_ids[w]));
      const Mask here = equal(part.load((Windows > 0 ? positions[w] : g.positions[w]) + in), id);
      V d = part.load((Windows > 0 ? dy[w] : g.dy[w]) + in);
      keep(d);  // or it is a masked load that waits for the positions
      total = total + select(here, d, V::zero());
    });
    put(g.run.stream, part, total, g.dx + out);
  });
}

template <class V>
void pool_max_backward(const PoolMaxBackwardArgs& g) {
  with_count(g.window_count, [&](auto count) { pool_max_backward_run<V, decltype(count)::value>(g); });
}

template <class V, int Rows>
void weighted_sum_run(const WeightedSumArgs& g) {
  constexpr int kKnown = Rows > 0 ? Rows : 1;
  const float* rows[kKnown];
  V weights[kKnown];
  for (int r = 0; r < Rows; ++r) rows[r] = g.rows[r], weights[r] = V::set(g.weights[r]);
  for_run<V>(g.run, g.channels, g.run.step, g.channels, [&](int64_t out, int64_t in, auto part) {
    V total = V::zero();
    for_counted<Rows>(0, g.count, [&](int32_t r) {
      total = fma(part.load((Rows > 0 ? rows[r] : g.rows[r]) + in), Rows > 0 ? weights[r] : V::set(g.weights[r]), total);
    });
    put(g.run.stream, part, total, g.out + out);
  });
}

template <class V>
void weighted_sum(const WeightedSumArgs& g) {
  with_count(g.count, [&](auto count) { weighted_sum_run<V, decltype(count)::value>(g); });
}

// Calls body with a -> a^p for a >= 0, so that the choice is made once and not per vector.
template <class V, class Body>
inline void with_power(float p, const Body& body) {
  if (p == 0.0f) return body([](V) { return V::set(1.0f); });
  if (p == 1.0f) return body([](V a) { return a; });
  if (p == 2.0f) return body([](V a) { return a * a; });
  body([power = V::set(p)](V a) { return exp(power * log(a)); });
}

template <class V>
void pool_lp(const PoolLpArgs& g) {
  const bool plain = g.p == 1.0f || g.p == 2.0f;
  const V one = V::set(1.0f), root = V::set(1.0f / g.p);
  with_power<V>(g.p, [&](auto power) {
    for_vectors_once<V>(g.channels, [&](int64_t c, auto part) {
      V scale = one;  // the window's largest: high powers of other numbers leave float's range
      if (!plain) {
        V top = V::zero();
        for (int32_t t = 0; t < g.tap_count; ++t) top = max(top, absolute(part.load(g.taps[t] + c)));
        scale = select(both(less(V::zero(), top), less(top, V::set(kInfinity))), top, one);
      }
      V total = V::zero();
      for (int32_t t = 0; t < g.tap_count; ++t) {
        const V size = absolute(part.load(g.taps[t] + c));
        total = total + power(plain ? size : size / scale);
      }
      part.store(g.p == 1.0f ? total : g.p == 2.0f ? sqrt(total) : scale * exp(root * log(total)), g.y + c);
    });
  });
}

template <class V>
void pool_lp_backward(const PoolLpBackwardArgs& g) {
  with_power<V>(g.p - 1.0f, [&](auto power) {
    for_vectors_once<V>(g.channels, [&](int64_t c, auto part) {
      const V x = part.load(g.x + c);
      const V size = absolute(x);
      V total = V::zero();
      for (int32_t w = 0; w < g.window_count; ++w) {
        const V y = part.load(g.y[w] + c);
        const V share = part.load(g.dy[w] + c) * power(size / y);
        total = total + select(equal(y, V::zero()), V::zero(), share);
      }
      // The sign of x; 0 where x is 0.
      const V negative = V::zero() - total;
      part.store(select(less(x, V::zero()), negative, select(equal(x, V::zero()), V::zero(), total)), g.dx + c);
    });
  });
}

}  // namespace
}  // namespace convlane
