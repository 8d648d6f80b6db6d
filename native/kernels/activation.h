// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"
#include "math.h"

namespace convlane {
namespace {

// Calls body with the function of the chosen activation, so that the choice is made once and not per vector.
template <class V, class Body>
inline void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::relu: return body([](V x) { return relu(x); });
    case Activation::sigmoid: return body([](V x) { return sigmoid(x); });
    case Activation::tanh: return body([](V x) { return tanh(x); });
    default: return body([](V x) { return x; });
  }
}

template <class V>
CONVLANE_NOINLINE void activate(Activation activation, const float* x, float* y, int64_t count) {
  with_activation<V>(activation, [&](auto f) {
    for_vectors<V>(count, [&](int64_t i, auto part) { part.store(f(part.load(x + i)), y + i); });
  });
}

template <class V>
void activate_backward(Activation activation, const float* dy, const float* y, float* dx, int64_t count) {
  const auto with = [&](auto f) {
    for_vectors<V>(count, [&](int64_t i, auto part) { part.store(f(part.load(dy + i), part.load(y + i)), dx + i); });
  };
  switch (activation) {
    case Activation::relu: return with([](V d, V out) { return select(less(V::zero(), out), d, V::zero()); });
    case Activation::sigmoid: return with([](V d, V out) { return d * (out * (V::set(1.0f) - out)); });
    case Activation::tanh: return with([](V d, V out) { return d * fnma(out, out, V::set(1.0f)); });
    default: return with([](V d, V) { return d; });
  }
}

}  // namespace
}  // namespace convlane
