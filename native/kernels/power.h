// SPDX-License-Identifier: MIT
// a to the power of b on vectors. The logarithm is kept as a sum of two floats, since its error counts b times: a part of 12 bits, whose products
// with another such part are exact with and without fused multiply-add, and the rest.
#pragma once
#include "math.h"

namespace convlane {
namespace {

// The upper 12 bits of the mantissa.
template <class V>
V upper(V x) {
  return as_float(as_int(x) & V::int_set(0xfffff000u));
}

// log2 of a positive normal number as high + low, to about 2^-33 of its size; `high` has 12 bits.
template <class V>
void log2_parts(V x, V* high, V* low) {
  const Int bits = as_int(x), root_half = V::int_set(0x3f3504f3);
  Int e = shift_right<23>(bits - root_half);
  const V m = as_float(bits - shift_left<23>(e));  // in [1/sqrt(2), sqrt(2))
  e = e - select(below(bits, root_half), V::int_set(512), V::int_set(0));
  const V exponent = to_float(e), one = V::set(1.0f), three = V::set(3.0f);

  // s = (m - 1) / (m + 1) = s1 + s2
  const V f = m - one, inverse = one / (m + one), s = f * inverse;
  const V s1 = upper(s), d1 = upper(m + one), d2 = m - (d1 - one);
  const V s2 = ((f - s1 * d1) - s1 * d2) * inverse;
  // log m = 2 artanh s = 2/3 s (3 + s^2 + rest)
  const V z = s * s;
  V p = V::set(0.23076923f);
  p = fma(p, z, V::set(0.27272728f));
  p = fma(p, z, V::set(0.33333334f));
  p = fma(p, z, V::set(0.42857143f));
  p = fma(p, z, V::set(0.6f));
  const V rest = fma(s2, s1 + s, z * z * p), square = s1 * s1;
  const V t1 = upper(three + square + rest), t2 = rest - ((t1 - three) - square);
  const V u = s1 * t1, v = fma(s2, t1, t2 * s);
  const V l1 = upper(u + v), l2 = v - (l1 - u);
  // times 2 / (3 ln 2), whose upper part is 0.9619140625
  const V w1 = l1 * V::set(0.9619140625f), w2 = fma(l1, V::set(-1.1736857402e-4f), l2 * V::set(0.9617966939f));
  *high = upper(exponent + (w1 + w2));
  *low = w2 - ((*high - exponent) - w1);
}

// 2^(high + low), high being exact; 0 below -126 and infinity from 128 on.
template <class V>
V exp2_parts(V high, V low) {
  const V magic = V::set(12582912.0f);
  const V z = high + low;
  const V shifted = min(V::set(129.0f), max(V::set(-127.0f), z)) + magic;
  const V n = shifted - magic;
  const V inside = min(V::set(130.0f), max(V::set(-130.0f), high));
  const V r = ((inside - n) + low) * V::set(0.693147181f);
  V p = V::set(0.001381453825160861f);
  p = fma(p, r, V::set(0.00836874544620514f));
  p = fma(p, r, V::set(0.04166838899254799f));
  p = fma(p, r, V::set(0.1666652113199234f));
  p = fma(p, r, V::set(0.4999999403953552f));
  p = fma(p * r, r, r) + V::set(1.0f);
  const Int biased = as_int(shifted) - as_int(magic) + V::int_set(127);
  const Int half = shift_right<1>(biased);
  const V scaled = p * as_float(shift_left<23>(half + V::int_set(64))) * as_float(shift_left<23>(biased - half + V::int_set(63)));
  const V bounded = select(less(z, V::set(128.0f)), scaled, V::set(kInfinity));
  return select(less(z, V::set(-126.0f)), V::zero(), bounded);
}

// Within 4 ulp. a^0 = 1^b = 1 whatever the other; a negative a needs a whole b, else NaN; infinities as in C.
template <class V>
V power(V a, V b) {
  const V zero = V::zero(), one = V::set(1.0f), infinity = V::set(kInfinity);
  const V size = absolute(a), exponent = absolute(b);

  V high, low;
  log2_parts(size, &high, &low);
  const V b1 = upper(b);
  V y = exp2_parts(b1 * high, fma(b - b1, high, b * low));

  // Where a factor is 0 or infinite the product of logarithms is no number: only the side counts.
  const Mask grows = either(both(less(zero, b), less(one, size)), both(less(b, zero), less(size, one)));
  const Mask edge = either(either(equal(size, zero), equal(size, infinity)), equal(exponent, infinity));
  y = select(edge, select(grows, infinity, zero), y);
  // b too large for the product above: 2^(128 and more), or less than 2^-126.
  const Mask huge = less(V::set(1e10f), exponent);
  y = select(but_not(huge, edge), select(grows, infinity, zero), y);
  y = select(equal(size, one), one, y);

  // Is b whole, and odd? From 2^24 on all are even; from 2^23 on the last bit tells; below, adding 2^23 rounds and puts that bit last.
  const V whole = V::set(8388608.0f);
  const Mask small = less(exponent, whole);
  const V rounded = exponent + whole;
  const Int last = select(small, as_int(rounded), as_int(exponent)) & V::int_set(1);
  const Mask is_whole = either(equal(rounded - whole, exponent), but_not(less(zero, exponent), small));
  const Mask is_odd = both(both(is_whole, less(exponent, V::set(16777216.0f))), equal(last, V::int_set(1)));
  const Int sign = as_int(a) & V::int_set(0x80000000u);
  y = select(is_odd, as_float(as_int(y) | sign), y);
  y = select(both(less(a, zero), but_not(both(less(zero, exponent), less(exponent, whole)), is_whole)),
             select(equal(size, infinity), y, V::set(kNaN)), y);

  y = select(is_nan(a), a, select(is_nan(b), b, y));
  return select(either(equal(b, zero), equal(a, one)), one, y);
}

}  // namespace
}  // namespace convlane
