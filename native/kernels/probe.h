// SPDX-License-Identifier: MIT
// What the machine can do at best: the benchmarks' measuring rods.
#pragma once
#include "loop.h"

namespace convlane {
namespace {

template <class V>
double probe_fma(int64_t iterations, float* sink) {
  const V a = V::set(0.5f + *sink), b = V::set(1.0f + *sink);
  V chains[V::chains];
  CONVLANE_UNROLL for (int i = 0; i < V::chains; ++i) chains[i] = V::set(static_cast<float>(i));
  for (int64_t n = 0; n < iterations; ++n) {
    CONVLANE_UNROLL for (int i = 0; i < V::chains; ++i) chains[i] = fma(chains[i], a, b);
  }
  V total = V::zero();
  CONVLANE_UNROLL for (int i = 0; i < V::chains; ++i) total = total + chains[i];
  *sink = sum(total) * 0.0f;
  return 2.0 * V::chains * V::width * static_cast<double>(iterations);
}

template <class V>
void probe_triad(float* a, const float* b, const float* c, float s, int64_t count) {
  const V factor = V::set(s);
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(fma(factor, part.load(c + i), part.load(b + i)), a + i); });
}

template <class V>
void probe_triad_past_caches(float* a, const float* b, const float* c, float s, int64_t count) {
  const V factor = V::set(s);
  for (int64_t i = 0; i < count; i += V::width) fma(factor, V::load(c + i), V::load(b + i)).stream(a + i);
  stream_fence();
}

}  // namespace
}  // namespace convlane
