// SPDX-License-Identifier: MIT
// Loops over a range in vectors: whole ones, then one with the rest. Every lane computes the same way in both, so an element's
// bits don't depend on where it lies.
#pragma once
#include <cstdint>

namespace convlane {
namespace {

template <class V>
struct Whole {
  static constexpr int count = V::width;
  static constexpr bool is_whole = true;
  V load(const float* p) const { return V::load(p); }
  Int load(const int32_t* p) const { return V::int_load(p); }
  V load(const uint8_t* p) const { return V::load_bytes(p); }
  void store(V x, float* p) const { x.store(p); }
  void store(Int x, int32_t* p) const { convlane::store(x, p); }
  V or_else(V x, V) const { return x; }
};

template <class V>
struct Rest {
  static constexpr bool is_whole = false;
  int count;
  V load(const float* p) const { return V::load(p, count); }
  Int load(const int32_t* p) const { return V::int_load(p, count); }
  V load(const uint8_t* p) const {
    uint8_t bytes[V::width] = {};
    for (int i = 0; i < count; ++i) bytes[i] = p[i];
    return V::load_bytes(bytes);
  }
  void store(V x, float* p) const { x.store(p, count); }
  void store(Int x, int32_t* p) const { convlane::store(x, p, count); }
  V or_else(V x, V other) const { return select(V::first(count), x, other); }  // `other` in the lanes beyond the end
};

// Past the caches where asked for; then p lies at a multiple of a vector.
template <class V, class Part>
inline void put(bool stream, Part part, V x, float* p) {
  if (stream && Part::is_whole) {
    x.stream(p);
  } else {
    part.store(x, p);
  }
}

// body(index, part): part.load(p), part.store(x, p) handle V::width values, or part.count of them at the end.
template <class V, class Body>
inline void for_vectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + V::width <= count; i += V::width) body(i, Whole<V>{});
  if (i < count) body(i, Rest<V>{static_cast<int>(count - i)});
}

// Either of them: a branch more in the loop, but half the code.
template <class V>
struct Either {
  int64_t left;
  V load(const float* p) const { return left >= V::width ? V::load(p) : V::load(p, static_cast<int>(left)); }
  void store(V x, float* p) const {
    if (left >= V::width) {
      x.store(p);
    } else {
      x.store(p, static_cast<int>(left));
    }
  }
};

// for_vectors for a body that is long: it is there but once.
template <class V, class Body>
inline void for_vectors_once(int64_t count, const Body& body) {
  for (int64_t i = 0; i < count; i += V::width) body(i, Either<V>{count - i});
}

}  // namespace
}  // namespace convlane
