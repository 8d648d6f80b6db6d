// SPDX-License-Identifier: MIT
// The activations that are more than one line, and their derivatives. NaN passes unless it says otherwise.
#pragma once
#include "math.h"

namespace convlane {
namespace {

constexpr float kSeluScale = 1.0507009873554805f;
constexpr float kSeluScaleAlpha = 1.7580993408473768f;  // scale * alpha, alpha = 1.6732632423543772

template <class V>
V elu(V x, V scale, V alpha) {
  return select(less(V::zero(), x), scale * x, alpha * expm1(x));
}

// log(1 + exp(x)) without overflow.
template <class V>
V softplus(V x) {
  return relu(x) + log1p(exp(V::zero() - absolute(x)));
}

// min(1, max(0, x / 6 + 1 / 2))
template <class V>
V hard_sigmoid(V x) {
  return min(V::set(6.0f), max(V::zero(), x + V::set(3.0f))) * V::set(1.0f / 6.0f);
}

template <class V>
V hard_swish_slope(V x) {
  const V three = V::set(3.0f), inside = fma(x, V::set(1.0f / 3.0f), V::set(0.5f));
  return select(less(x, three), select(less(V::set(-3.0f), x), inside, select(is_nan(x), x, V::zero())), select(is_nan(x), x, V::set(1.0f)));
}

// x tanh(softplus(x)) = x n / (n + 2) with n = e (e + 2), e = exp(x); from 20 on the quotient is 1.
template <class V>
V mish(V x) {
  const V e = exp(min(V::set(20.0f), x)), n = e * (e + V::set(2.0f));
  return x * (n / (n + V::set(2.0f)));
}

template <class V>
V mish_slope(V x) {
  const V bounded = min(V::set(20.0f), x);
  const V e = exp(bounded), n = e * (e + V::set(2.0f)), q = V::set(1.0f) / (n + V::set(2.0f));
  return fma(bounded * (V::set(4.0f) * e * q), (V::set(1.0f) + e) * q, n * q);
}

// exp(-x^2 / 2); what x^2 loses by rounding is put back, since the exponent magnifies it.
template <class V>
V gaussian(V x) {
  const V bounded = min(V::set(16.0f), max(V::set(-16.0f), x));
  const V square = bounded * bounded, lost = fma(bounded, bounded, V::zero() - square);
  return exp(square * V::set(-0.5f)) * fma(lost, V::set(-0.5f), V::set(1.0f));
}

// (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 is the logistic function of this.
template <class V>
V gelu_tanh_argument(V x) {
  return x * fma(x * x, V::set(0.0713548162726f), V::set(1.5957691216f));  // 2 sqrt(2 / pi)
}

// The derivative of x sigmoid(u), u' being slope: s + x slope s (1 - s), where 1 - s would lose what is small.
template <class V>
V gated_slope(V x, V u, V slope) {
  const V e = exp(V::zero() - absolute(u)), q = V::set(1.0f) / (V::set(1.0f) + e);
  return fma(x * slope, e * q * q, select(less(u, V::zero()), e * q, q));
}

template <class V>
V gelu_tanh_slope(V x) {
  const V bounded = min(V::set(16.0f), max(V::set(-16.0f), x));  // beyond, the slope is 0 or 1 and the cube would overflow
  return gated_slope(bounded, gelu_tanh_argument(bounded), fma(bounded * bounded, V::set(0.2140644488178f), V::set(1.5957691216f)));
}

template <class V>
V silu_slope(V x) {
  const V bounded = min(V::set(128.0f), max(V::set(-128.0f), x));  // beyond, the slope is 0 or 1
  return gated_slope(bounded, bounded, V::set(1.0f));
}

// x from `threshold` on, but `maximum` at most; slope (x - threshold) below.
template <class V>
V linear_threshold(V x, V maximum, V slope, V threshold) {
  const V above = select(less(maximum, x), maximum, x);
  const V below = select(equal(slope, V::zero()), V::zero(), slope * (x - threshold));  // not 0 * -infinity
  return select(less(x, threshold), below, above);
}

}  // namespace
}  // namespace convlane
