// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

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
void pool_average_backward(const PoolAverageBackwardArgs& g) {
  for_vectors<V>(g.channels, [&](int64_t c, auto part) {
    V total = V::zero();
    for (int32_t w = 0; w < g.window_count; ++w) total = fma(part.load(g.dy[w] + c), V::set(g.scales[w]), total);
    part.store(total, g.dx + c);
  });
}

}  // namespace
}  // namespace convlane
