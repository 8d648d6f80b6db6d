// SPDX-License-Identifier: MIT
// The functions that kernels know, of one number, of two and along an axis.
#pragma once
#include <cstdint>

namespace convlane {

enum class Unary : int32_t { exp, log, sqrt, abs, sign };
enum class Binary : int32_t { add, subtract, multiply, divide, power, minimum, maximum, prelu, equal, not_equal, less, less_equal };
enum class Reduction : int32_t { sum, max, min };
// A function of one number, with its parameters where it has any (docs/steps.md): leaky_relu slope; elu alpha; linear_threshold maximum, slope, threshold.
struct Activation {
  enum Kind : int32_t {
    linear, relu, sigmoid, tanh, leaky_relu, elu, selu, softplus, softsign, hard_sigmoid,  // the derivative follows from y
    silu, mish, gelu, gelu_tanh, hard_swish, linear_threshold,                             // it needs x
  };
  Kind kind = linear;
  float parameters[3] = {};

  constexpr Activation() = default;
  constexpr Activation(Kind k) : kind(k) {}  // NOLINT: a kind is an activation
  constexpr operator Kind() const { return kind; }
};

}  // namespace convlane
