// SPDX-License-Identifier: MIT
#pragma once
#include "loop.h"

namespace convlane {
namespace {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), V::width counters at once.
struct Philox { Int c0, c1, c2, c3; };

template <class V>
Philox philox(Philox x, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  const Int m0 = V::int_set(0xd2511f53u), m1 = V::int_set(0xcd9e8d57u);
  for (int round = 0; round < 10; ++round) {
    x = {multiply_high(m1, x.c2) ^ x.c1 ^ V::int_set(k0), multiply_low(m1, x.c2),
         multiply_high(m0, x.c0) ^ x.c3 ^ V::int_set(k1), multiply_low(m0, x.c0)};
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return x;
}

template <class V>
void dropout(const float* x, float* y, int64_t first, int64_t count, uint32_t threshold, float scale, uint64_t seed, uint32_t stream, uint64_t step) {
  constexpr int64_t group = 4 * V::width;  // words that one call of philox gives
  const V factor = V::set(scale);
  const Int limit = V::int_set(threshold);
  int32_t words[group + V::width];  // the rest only pads the last load
  for (int i = 0; i < V::width; ++i) words[group + i] = 0;
  for (int64_t start = -(first & 3); start < count; start += group) {
    const uint32_t counter = static_cast<uint32_t>(static_cast<uint64_t>(first + start) >> 2);
    const Philox w = philox<V>({V::int_set(counter) + V::int_iota(), V::int_set(stream), V::int_set(static_cast<uint32_t>(step)),
                                V::int_set(static_cast<uint32_t>(step >> 32))}, seed);
    store_interleaved(w.c0, w.c1, w.c2, w.c3, words);
    const int64_t begin = start < 0 ? 0 : start;
    const int64_t end = start + group < count ? start + group : count;
    for_vectors<V>(end - begin, [&](int64_t i, auto part) {
      const Mask dropped = below(V::int_load(words + begin - start + i), limit);
      part.store(select(dropped, V::zero(), part.load(x + begin + i) * factor), y + begin + i);
    });
  }
}

}  // namespace
}  // namespace convlane
