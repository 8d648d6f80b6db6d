// SPDX-License-Identifier: MIT
#pragma once
#include "softmax.h"

namespace convlane {
namespace {

template <class V>
void softmax_cross_entropy(const float* logits, const int32_t* labels, int64_t rows, int64_t columns, float scale, float* losses, float* dlogits) {
  for (int64_t r = 0; r < rows; ++r, logits += columns, dlogits += columns) {
    const int32_t label = labels[r];
    const bool valid = label >= 0 && label < columns;
    const float chosen = valid ? logits[label] : 0.0f;  // before dlogits is written: it may be the same memory
    float maximum;
    const float total = exponentials<V>(logits, columns, dlogits, &maximum);
    const V factor = V::set(valid ? scale / total : kNaN);
    for_vectors<V>(columns, [&](int64_t j, auto part) { part.store(part.load(dlogits + j) * factor, dlogits + j); });
    losses[r] = kNaN;
    if (valid) {
      losses[r] = lane0(log(V::set(total))) - (chosen - maximum);
      dlogits[label] -= scale;
    }
  }
}

template <class V>
void softmax_cross_entropy_dense(const float* logits, const float* targets, int64_t rows, int64_t columns, float scale, float* losses, float* dlogits) {
  for (int64_t r = 0; r < rows; ++r, logits += columns, targets += columns, dlogits += columns) {
    V top = V::set(-kInfinity);
    for_vectors<V>(columns, [&](int64_t j, auto part) { top = max(part.or_else(part.load(logits + j), V::set(-kInfinity)), top); });
    const V maximum = V::set(largest(top));
    V weights = V::zero(), weighted = V::zero(), total = V::zero();
    for_vectors<V>(columns, [&](int64_t j, auto part) {
      const V target = part.load(targets + j), x = part.load(logits + j) - maximum, e = exp(x);
      weights = weights + target;
      weighted = fma(target, part.or_else(x, V::zero()), weighted);
      total = total + part.or_else(e, V::zero());
      part.store(e, dlogits + j);
    });
    const float exponentials = sum(total), weight = sum(weights);
    losses[r] = lane0(log(V::set(exponentials))) * weight - sum(weighted);
    const V factor = V::set(weight / exponentials), scales = V::set(scale);
    for_vectors<V>(columns, [&](int64_t j, auto part) {
      part.store((part.load(dlogits + j) * factor - part.load(targets + j)) * scales, dlogits + j);
    });
  }
}

template <class V>
double squared_error(const float* p, const float* t, int64_t count, float scale, float* dp) {
  constexpr int64_t block = 1024;
  const V scales = V::set(scale);
  double result = 0.0;
  for (int64_t start = 0; start < count; start += block) {
    V total = V::zero();
    for_vectors<V>(block < count - start ? block : count - start, [&](int64_t j, auto part) {
      const V d = part.load(p + start + j) - part.load(t + start + j);
      total = fma(d, d, total);
      if (dp != nullptr) part.store(d * scales, dp + start + j);
    });
    result += static_cast<double>(sum(total));
  }
  return result;
}

}  // namespace
}  // namespace convlane
