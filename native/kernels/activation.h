// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "activation_math.h"
#include "loop.h"

namespace convlane {
namespace {

// Calls body with the function of the chosen activation, so that the choice is made once and not per vector.
template <class V, class Body>
inline void with_activation(const Activation& activation, const Body& body) {
  const V a = V::set(activation.parameters[0]), b = V::set(activation.parameters[1]), c = V::set(activation.parameters[2]);
  switch (activation.kind) {
    case Activation::relu: return body([](V x) { return relu(x); });
    case Activation::sigmoid: return body([](V x) { return sigmoid(x); });
    case Activation::tanh: return body([](V x) { return tanh(x); });
    case Activation::leaky_relu: return body([=](V x) { return select(less(x, V::zero()), a * x, x); });
    case Activation::elu: return body([=](V x) { return elu(x, V::set(1.0f), a); });
    case Activation::selu: return body([](V x) { return elu(x, V::set(kSeluScale), V::set(kSeluScaleAlpha)); });
    case Activation::softplus: return body([](V x) { return softplus(x); });
    case Activation::softsign: return body([](V x) { return x / (V::set(1.0f) + absolute(x)); });
    case Activation::hard_sigmoid: return body([](V x) { return hard_sigmoid(x); });
    case Activation::silu: return body([](V x) { return x * sigmoid(x); });
    case Activation::mish: return body([](V x) { return mish(x); });
    case Activation::gelu: return body([](V x) { return x * normal_below(x, gaussian(x)); });
    case Activation::gelu_tanh: return body([](V x) { return x * sigmoid(gelu_tanh_argument(x)); });
    case Activation::hard_swish: return body([](V x) { return x * hard_sigmoid(x); });
    case Activation::linear_threshold: return body([=](V x) { return linear_threshold(x, a, b, c); });
    default: return body([](V x) { return x; });
  }
}

template <class V>
CONVLANE_NOINLINE void activate(Activation activation, const float* x, float* y, int64_t count) {
  with_activation<V>(activation, [&](auto f) {
    for_vectors_once<V>(count, [&](int64_t i, auto part) { part.store(f(part.load(x + i)), y + i); });
  });
}

// Calls body with the gradient of the chosen activation: a function of dy and of y or x (kernel_table.h: Activation).
template <class V, class Body>
inline void with_gradient(const Activation& activation, const Body& body) {
  const V a = V::set(activation.parameters[0]), b = V::set(activation.parameters[1]), c = V::set(activation.parameters[2]);
  switch (activation.kind) {
    case Activation::relu: return body([](V d, V y) { return select(less(V::zero(), y), d, V::zero()); });
    case Activation::sigmoid: return body([](V d, V y) { return d * (y * (V::set(1.0f) - y)); });
    case Activation::tanh: return body([](V d, V y) { return d * fnma(y, y, V::set(1.0f)); });
    case Activation::leaky_relu: return body([=](V d, V y) { return select(less(V::zero(), y), d, a * d); });
    case Activation::elu: return body([=](V d, V y) { return d * select(less(V::zero(), y), V::set(1.0f), y + a); });
    case Activation::selu: return body([](V d, V y) { return d * select(less(V::zero(), y), V::set(kSeluScale), y + V::set(kSeluScaleAlpha)); });
    case Activation::softplus: return body([](V d, V y) { return V::zero() - d * expm1(V::zero() - y); });
    case Activation::softsign: return body([](V d, V y) {
      const V s = V::set(1.0f) - absolute(y);
      return d * (s * s);
    });
    case Activation::hard_sigmoid: return body([](V d, V y) {
      return select(both(less(V::zero(), y), less(y, V::set(1.0f))), d * V::set(1.0f / 6.0f), V::zero());
    });
    case Activation::silu: return body([](V d, V x) { return d * silu_slope(x); });
    case Activation::mish: return body([](V d, V x) { return d * mish_slope(x); });
    case Activation::gelu: return body([](V d, V x) {
      const V e = gaussian(x);
      return d * fma(x * V::set(0.39894228f), e, normal_below(x, e));  // 1 / sqrt(2 pi)
    });
    case Activation::gelu_tanh: return body([](V d, V x) { return d * gelu_tanh_slope(x); });
    case Activation::hard_swish: return body([](V d, V x) { return d * hard_swish_slope(x); });
    case Activation::linear_threshold: return body([=](V d, V x) {
      return select(less(c, x), select(less(x, a), d, V::zero()), b * d);
    });
    default: return body([](V d, V) { return d; });
  }
}

template <class V>
void activate_backward(Activation activation, const float* dy, const float* also, const float* from, float* dx, int64_t count) {
  with_gradient<V>(activation, [&](auto f) {
    for_vectors_once<V>(count, [&](int64_t i, auto part) {
      V d = part.load(dy + i);
      keep(d);  // or relu's is a masked load that waits for the other one: beyond the caches 42 instead of 68 GB/s
      part.store(f(also != nullptr ? d + part.load(also + i) : d, part.load(from + i)), dx + i);
    });
  });
}

}  // namespace
}  // namespace convlane
