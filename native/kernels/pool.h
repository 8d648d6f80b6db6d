// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"
#include "math.h"

namespace convlane {
namespace {

template <class V, bool Positions>
void pool_max_channels(const PoolMaxArgs& g) {
  for_vectors<V>(g.channels, [&](int64_t c, auto part) {
    V best = part.load(g.taps[0] + c);
    Int position = V::int_set(static_cast<uint32_t>(g.tap_ids[0]));
    for (int32_t t = 1; t < g.tap_count; ++t) {
      V x = part.load(g.taps[t] + c);
      Mask better = but_not(either(less(best, x), is_nan(x)), is_nan(best));
      best = select(better, x, best);
      if (Positions) position = select(better, V::int_set(static_cast<uint32_t>(g.tap_ids[t])), position);
    }
    part.store(best, g.y + c);
    if (Positions) part.store(position, g.positions + c);
  });
}

template <class V>
void pool_max(const PoolMaxArgs& g) {
  if (g.positions != nullptr) {
    pool_max_channels<V, true>(g);
  } else {
    pool_max_channels<V, false>(g);
  }
}

template <class V>
void pool_average(const PoolAverageArgs& g) {
  const V scale = V::set(g.scale);
  for_vectors<V>(g.channels, [&](int64_t c, auto part) {
    V total = V::zero();
    for (int32_t t = 0; t < g.tap_count; ++t) total = total + part.load(g.taps[t] + c);
    part.store(total * scale, g.y + c);
  });
}

template <class V>
void pool_max_backward(const PoolMaxBackwardArgs& g) {
  for_vectors<V>(g.channels, [&](int64_t c, auto part) {
    V total = V::zero();
    for (int32_t w = 0; w < g.window_count; ++w) {
      Mask here = equal(part.load(g.positions[w] + c), V::int_set(static_cast<uint32_t>(g.tap_ids[w])));
      total = total + select(here, part.load(g.dy[w] + c), V::zero());
    }
    part.store(total, g.dx + c);
  });
}

template <class V>
void weighted_sum(const WeightedSumArgs& g) {
  for_vectors<V>(g.channels, [&](int64_t c, auto part) {
    V total = V::zero();
    for (int32_t r = 0; r < g.count; ++r) total = fma(part.load(g.rows[r] + c), V::set(g.weights[r]), total);
    part.store(total, g.out + c);
  });
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
  with_power<V>(g.p, [&](auto power) {
    for_vectors<V>(g.channels, [&](int64_t c, auto part) {
      V total = V::zero();
      for (int32_t t = 0; t < g.tap_count; ++t) total = total + power(absolute(part.load(g.taps[t] + c)));
      part.store(g.p == 1.0f ? total : g.p == 2.0f ? sqrt(total) : exp(V::set(1.0f / g.p) * log(total)), g.y + c);
    });
  });
}

template <class V>
void pool_lp_backward(const PoolLpBackwardArgs& g) {
  with_power<V>(g.p - 1.0f, [&](auto power) {
    for_vectors<V>(g.channels, [&](int64_t c, auto part) {
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
