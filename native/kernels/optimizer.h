// SPDX-License-Identifier: MIT
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

template <class V>
void sgd(const SgdArgs& g) {
  const V rate = V::set(g.learning_rate), momentum = V::set(g.momentum), decay = V::set(g.weight_decay);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    V update = fma(decay, param, part.load(g.grad + i));
    if (g.velocity != nullptr) {
      const V velocity = fma(momentum, part.load(g.velocity + i), update);
      part.store(velocity, g.velocity + i);
      update = g.nesterov ? fma(momentum, velocity, update) : velocity;
    }
    part.store(fnma(rate, update, param), g.param + i);
  });
}

template <class V>
void adam(const AdamArgs& g) {
  const V step = V::set(g.step_size), decay = V::set(g.weight_decay), epsilon = V::set(g.epsilon);
  const V beta1 = V::set(g.beta1), rest1 = V::set(1.0f - g.beta1), beta2 = V::set(g.beta2), rest2 = V::set(1.0f - g.beta2);
  const V correction = V::set(g.inverse_sqrt_correction);
  for_vectors<V>(g.count, [&](int64_t i, auto part) {
    const V param = part.load(g.param + i);
    const V grad = fma(decay, param, part.load(g.grad + i));
    const V m = fma(beta1, part.load(g.m + i), rest1 * grad);
    const V v = fma(beta2, part.load(g.v + i), rest2 * (grad * grad));
    part.store(m, g.m + i);
    part.store(v, g.v + i);
    part.store(fnma(step, m / fma(sqrt(v), correction, epsilon), param), g.param + i);
  });
}

}  // namespace
}  // namespace convlane
