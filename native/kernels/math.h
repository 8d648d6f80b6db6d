// SPDX-License-Identifier: MIT
// exp, log, tanh, the logistic function and the normal distribution on vectors. libm differs from platform to platform; these give the same bits wherever the
// instruction set is the same. Polynomials: minimax fits (relative error below 5e-9) made for these intervals.
#pragma once
#include <limits>

#include "../simd/compiler.h"

namespace convlane {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// x = n ln 2 + r, |r| <= ln 2 / 2, for numbers that are not far larger than those that exp is made for.
template <class V>
struct Reduced {
  V tail;        // exp(r) - 1, within 1 ulp
  Int exponent;  // n, where the exponent of a float is
  explicit Reduced(V x) {
    const V magic = V::set(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer, which then is in the low bits
    const V shifted = fma(x, V::set(1.44269504f), magic), n = shifted - magic;
    V r = fnma(n, V::set(0.693359375f), x);  // ln 2 in two parts; n times the first is exact
    r = fnma(n, V::set(-2.12194440e-4f), r);
    V p = V::set(0.001381453825160861f);
    p = fma(p, r, V::set(0.00836874544620514f));
    p = fma(p, r, V::set(0.04166838899254799f));
    p = fma(p, r, V::set(0.1666652113199234f));
    p = fma(p, r, V::set(0.4999999403953552f));
    tail = fma(p * r, r, r);
    exponent = shift_left<23>(as_int(shifted));
  }
};

// Within 2 ulp. 0 below -87.33 (where float's normal range ends), infinity above 88.72; NaN passes.
template <class V>
V exp(V x) {
  const Reduced<V> reduced(x);
  // n = 128 comes with an exp(r) below 1 only, whose exponent has room for it.
  const V y = as_float(as_int(reduced.tail + V::set(1.0f)) + reduced.exponent);
  const V bounded = select(less(x, V::set(88.7228394f)), y, x + V::set(kInfinity));
  return select(less(x, V::set(-87.3365448f)), V::zero(), bounded);
}

// Natural logarithm of a positive normal number, within 2 ulp; log(infinity) = infinity; NaN for NaN and negative numbers, -infinity for 0.
template <class V>
V log(V x) {
  const Int bits = as_int(x), root_half = V::int_set(0x3f3504f3);
  // x = m 2^e with m in [1/sqrt(2), sqrt(2)). The shift fills with zeros: a negative e comes out 512 too large.
  Int e = shift_right<23>(bits - root_half);
  V m = as_float(bits - shift_left<23>(e));
  e = e - select(below(bits, root_half), V::int_set(512), V::int_set(0));
  V exponent = to_float(e);
  V s = (m - V::set(1.0f)) / (m + V::set(1.0f));
  V z = s * s;
  V p = V::set(0.2358357161283493f);
  p = fma(p, z, V::set(0.28537237644195557f));
  p = fma(p, z, V::set(0.4000033736228943f));
  p = fma(p, z, V::set(0.6666666269302368f));
  V y = fma(p * z, s, s + s);  // log m = 2 artanh s
  y = fma(exponent, V::set(0.693359375f), fma(exponent, V::set(-2.12194440e-4f), y));
  y = select(less(x, V::set(kInfinity)), y, x);
  y = select(less(x, V::zero()), V::set(kNaN), y);
  return select(equal(x, V::zero()), V::set(-kInfinity), y);
}

template <class V>
V absolute(V x) {
  return as_float(as_int(x) & V::int_set(0x7fffffff));
}

// Within 3 ulp: m / (m + 2) with m = exp(2 |x|) - 1. NaN passes, -0 stays.
template <class V>
V tanh(V x) {
  const V bounded = min(V::set(9.1f), absolute(x));  // beyond, the result is 1
  const Reduced<V> reduced(bounded + bounded);
  const V power = as_float(reduced.exponent + as_int(V::set(1.0f)));
  const V m = fma(power, reduced.tail, power - V::set(1.0f));
  return as_float(as_int(m / (m + V::set(2.0f))) | (as_int(x) & V::int_set(0x80000000u)));
}

// 1 / (1 + exp(-x)), within 3 ulp. NaN passes.
template <class V>
V sigmoid(V x) {
  V e = exp(V::zero() - absolute(x));  // <= 1
  V s = V::set(1.0f) / (V::set(1.0f) + e);
  return select(less(x, V::zero()), e * s, s);
}

// exp(x) - 1, within 4 ulp, also where x is small. NaN passes.
template <class V>
V expm1(V x) {
  V p = V::set(0.001381453825160861f);  // the polynomial of exp, without its first term
  p = fma(p, x, V::set(0.00836874544620514f));
  p = fma(p, x, V::set(0.04166838899254799f));
  p = fma(p, x, V::set(0.1666652113199234f));
  p = fma(p, x, V::set(0.4999999403953552f));
  return select(less(absolute(x), V::set(0.34657359f)), fma(p * x, x, x), exp(x) - V::set(1.0f));
}

// log(1 + x) for x >= 0, within 4 ulp: what 1 + x lost by rounding is put back. NaN passes.
template <class V>
V log1p(V x) {
  const V one = V::set(1.0f), u = one + x;
  return log(u) + (x - (u - one)) / u;
}

// The standard normal distribution function (1 + erf(x / sqrt(2))) / 2 from e = exp(-x^2 / 2). Its upper tail is e t p(t) with t = 1 / (1 + 0.35 |x|):
// a minimax fit, relative error below 4e-8.
template <class V>
V normal_below(V x, V e) {
  V t = V::set(1.0f) / fma(V::set(0.35f), absolute(x), V::set(1.0f));
  V p = V::set(-0.02914646281558669f);
  p = fma(p, t, V::set(0.143974211459732f));
  p = fma(p, t, V::set(-0.2557192588731186f));
  p = fma(p, t, V::set(0.15917962347725398f));
  p = fma(p, t, V::set(-0.023113392048286836f));
  p = fma(p, t, V::set(0.10550940957015695f));
  p = fma(p, t, V::set(0.11983254073750006f));
  p = fma(p, t, V::set(0.13986191029689307f));
  p = fma(p, t, V::set(0.1396214022462321f));
  V tail = e * (t * p);
  return select(less(x, V::zero()), tail, V::set(1.0f) - tail);
}

}  // namespace
}  // namespace convlane
