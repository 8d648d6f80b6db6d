// SPDX-License-Identifier: MIT
// Functions of one, two and three numbers, element by element.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"
#include "math.h"
#include "power.h"

namespace convlane {
namespace {

template <class V>
void unary(Unary operation, const float* x, float* y, int64_t count) {
  const auto with = [&](auto f) {
    for_vectors_once<V>(count, [&](int64_t i, auto part) { part.store(f(part.load(x + i)), y + i); });
  };
  const V one = V::set(1.0f);
  switch (operation) {
    case Unary::exp: return with([](V a) { return exp(a); });
    case Unary::log: return with([](V a) { return log(a); });
    case Unary::sqrt: return with([](V a) { return sqrt(a); });
    case Unary::abs: return with([](V a) { return absolute(a); });
    case Unary::sign:
      return with([&](V a) { return select(less(V::zero(), a), one, select(less(a, V::zero()), V::zero() - one, a)); });
  }
}

template <class V>
void clip(float low, float high, const float* x, float* y, int64_t count) {
  const V least = V::set(low), most = V::set(high);
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(min(most, max(least, part.load(x + i))), y + i); });
}

// A step of 0: one value for all.
template <class V>
struct Source {
  const float* p;
  bool moves;
  V value;
  Source(const float* from, int64_t step) : p(from), moves(step != 0), value(V::set(*from)) {}
  template <class Part>
  V at(int64_t i, const Part& part) const { return moves ? part.load(p + i) : value; }
};

// NaN where either is.
template <class V>
V maximum(V a, V b) {
  return select(is_nan(a), a, max(a, b));
}
template <class V>
V minimum(V a, V b) {
  return select(is_nan(a), a, min(a, b));
}

template <class V>
void binary(Binary operation, const float* a, int64_t a_step, const float* b, int64_t b_step, float* y, int64_t count) {
  if (count <= 0) return;
  const Source<V> left(a, a_step), right(b, b_step);
  const auto with = [&](auto f) {
    for_vectors_once<V>(count, [&](int64_t i, auto part) { part.store(f(left.at(i, part), right.at(i, part)), y + i); });
  };
  const V one = V::set(1.0f), zero = V::zero();
  switch (operation) {
    case Binary::add: return with([](V u, V v) { return u + v; });
    case Binary::subtract: return with([](V u, V v) { return u - v; });
    case Binary::multiply: return with([](V u, V v) { return u * v; });
    case Binary::divide: return with([](V u, V v) { return u / v; });
    case Binary::power: return with([](V u, V v) { return power(u, v); });
    case Binary::minimum: return with([](V u, V v) { return minimum(u, v); });
    case Binary::maximum: return with([](V u, V v) { return maximum(u, v); });
    case Binary::prelu: return with([&](V u, V v) { return select(less(zero, u), u, zero + u * v); });
    case Binary::equal: return with([&](V u, V v) { return select(equal(u, v), one, zero); });
    case Binary::not_equal: return with([&](V u, V v) { return select(equal(u, v), zero, one); });
    case Binary::less: return with([&](V u, V v) { return select(less(u, v), one, zero); });
    case Binary::less_equal: return with([&](V u, V v) { return select(either(less(u, v), equal(u, v)), one, zero); });
  }
}

template <class V>
void where(const float* c, int64_t c_step, const float* a, int64_t a_step, const float* b, int64_t b_step, float* y, int64_t count) {
  if (count <= 0) return;
  const Source<V> condition(c, c_step), left(a, a_step), right(b, b_step);
  for_vectors<V>(count, [&](int64_t i, auto part) {
    part.store(select(equal(condition.at(i, part), V::zero()), right.at(i, part), left.at(i, part)), y + i);
  });
}

template <class V>
float reduce(Reduction reduction, const float* x, int64_t count) {
  if (reduction == Reduction::sum) {
    constexpr int64_t block = 1024;
    double total = 0;
    for (int64_t start = 0; start < count; start += block) {
      V part_sum = V::zero();
      for_vectors<V>(count - start < block ? count - start : block, [&](int64_t i, auto part) { part_sum = part_sum + part.load(x + start + i); });
      total += static_cast<double>(sum(part_sum));
    }
    return static_cast<float>(total);
  }
  const bool most = reduction == Reduction::max;
  const V none = V::set(most ? -kInfinity : kInfinity);
  V found = none;
  for_vectors<V>(count, [&](int64_t i, auto part) {
    const V next = part.or_else(part.load(x + i), none);
    found = most ? maximum(next, found) : minimum(next, found);
  });
  float lanes[V::width];
  found.store(lanes);
  float best = lanes[0];
  for (int lane = 1; lane < V::width; ++lane) {
    const float value = lanes[lane];
    if (value != value || (most ? value > best : value < best)) best = value;
  }
  return best;
}

template <class V>
void column_extremes(Reduction reduction, const float* x, int64_t rows, int64_t columns, float* out) {
  const bool most = reduction == Reduction::max;
  for_vectors<V>(columns, [&](int64_t j, auto part) {
    V found = part.load(x + j);
    for (int64_t r = 1; r < rows; ++r) {
      const V next = part.load(x + r * columns + j);
      found = most ? maximum(next, found) : minimum(next, found);
    }
    part.store(found, out + j);
  });
}

}  // namespace
}  // namespace convlane
