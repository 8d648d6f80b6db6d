// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

template <class V>
void sgd(const SgdArgs& g) {
  const V rate = V::set(g.learning_rate), momentum = V::set(g.momentum), decay = V::set(g.weight_decay), kept = V::set(g.kept);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    V update = fma(decay, param, part.load(g.grad + i));
    if (g.velocity != nullptr) {
      const V velocity = fma(momentum, part.load(g.velocity + i), update);
      part.store(velocity, g.velocity + i);
      update = g.nesterov ? fma(momentum, velocity, update) : velocity;
    }
    part.store(fnma(rate, update, param * kept), g.param + i);
  });
}

template <class V>
void adam(const AdamArgs& g) {
  const V step = V::set(g.step_size), decay = V::set(g.weight_decay), epsilon = V::set(g.epsilon), kept = V::set(g.kept);
  const V beta1 = V::set(g.beta1), rest1 = V::set(1.0f - g.beta1), beta2 = V::set(g.beta2), rest2 = V::set(1.0f - g.beta2);
  const V correction = V::set(g.inverse_sqrt_correction);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    const V grad = fma(decay, param, part.load(g.grad + i));
    const V m = fma(beta1, part.load(g.m + i), rest1 * grad);
    const V v = fma(beta2, part.load(g.v + i), rest2 * (grad * grad));
    part.store(m, g.m + i);
    part.store(v, g.v + i);
    part.store(fnma(step, m / fma(sqrt(v), correction, epsilon), param * kept), g.param + i);
  });
}

template <class V>
void rmsprop(const RmspropArgs& g) {
  const V rate = V::set(g.learning_rate), decay = V::set(g.weight_decay), epsilon = V::set(g.epsilon), kept = V::set(g.kept);
  const V alpha = V::set(g.alpha), rest = V::set(1.0f - g.alpha), momentum = V::set(g.momentum);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    const V grad = fma(decay, param, part.load(g.grad + i));
    const V square = fma(alpha, part.load(g.square + i), rest * (grad * grad));
    part.store(square, g.square + i);
    V variance = square;
    if (g.mean != nullptr) {
      const V mean = fma(alpha, part.load(g.mean + i), rest * grad);
      part.store(mean, g.mean + i);
      variance = max(V::zero(), fnma(mean, mean, square));
    }
    V update = grad / (sqrt(variance) + epsilon);
    if (g.velocity != nullptr) {
      update = fma(momentum, part.load(g.velocity + i), update);
      part.store(update, g.velocity + i);
    }
    part.store(fnma(rate, update, param * kept), g.param + i);
  });
}

template <class V>
void adagrad(const AdagradArgs& g) {
  const V rate = V::set(g.learning_rate), decay = V::set(g.weight_decay), epsilon = V::set(g.epsilon), kept = V::set(g.kept);
  const V initial = V::set(g.initial);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    const V grad = fma(decay, param, part.load(g.grad + i));
    const V total = fma(grad, grad, part.load(g.sum + i));
    part.store(total, g.sum + i);
    part.store(fnma(rate, grad / (sqrt(total + initial) + epsilon), param * kept), g.param + i);
  });
}

// Blocks of 1024, each in four chains, which cover the latency of an FMA.
template <class V>
double sum_of_squares(const float* x, int64_t count) {
  constexpr int64_t block = 1024;
  constexpr int chains = 4;
  double result = 0.0;
  for (int64_t start = 0; start < count; start += block) {
    const int64_t length = block < count - start ? block : count - start;
    V totals[chains] = {V::zero(), V::zero(), V::zero(), V::zero()};
    int64_t i = start;
    for (; i + chains * V::width <= start + length; i += chains * V::width) {
      CONVLANE_UNROLL for (int c = 0; c < chains; ++c) {
        const V value = V::load(x + i + c * V::width);
        totals[c] = fma(value, value, totals[c]);
      }
    }
    for_vectors<V>(start + length - i, [&](int64_t j, auto part) {
      const V value = part.load(x + i + j);
      totals[0] = fma(value, value, totals[0]);
    });
    result += static_cast<double>(sum((totals[0] + totals[1]) + (totals[2] + totals[3])));
  }
  return result;
}

template <class V>
void clip_by_value(const float* x, float limit, float* y, int64_t count) {
  const V high = V::set(limit), low = V::set(-limit);
  for_vectors<V>(count, [&](int64_t i, auto part) { part.store(max(low, min(high, part.load(x + i))), y + i); });
}

}  // namespace
}  // namespace convlane
