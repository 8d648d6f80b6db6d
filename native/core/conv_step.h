// SPDX-License-Identifier: MIT
// The step of a convolution in any form: forward, and the gradient by the input, which is the transposed convolution.
#pragma once
#include <type_traits>
#include <utility>

#include "conv_algorithm.h"
#include "ops.h"

namespace convlane {

// Names of the operands: what is read beside the filters, and what is written.
struct ConvNames {
  const char *from, *to;
};

// Whether a form makes something of its filters that can be made once for many runs: prepared_floats(), and prepare(filters, prepared).
template <class Form, class = void>
constexpr bool kPrepares = false;
template <class Form>
constexpr bool kPrepares<Form, std::void_t<decltype(&Form::prepare)>> = true;

// Form: scratch_floats(n), and run(n, from, filters, bias or null, activation, to, scratch), or with `prepared` or null behind the scratch memory.
template <class Form>
class ConvStep : public Step {
 public:
  template <class... Args>
  ConvStep(const StepSpec& spec, const ConvNames& names, int64_t channels, ConvAlgorithm algorithm, Args&&... args)
      : from_(spec.operand(names.from)),
        w_(spec.operand("w")),
        to_(spec.operand(names.to)),
        activation_(activation_of(spec)),
        algorithm_(algorithm),
        form_(std::forward<Args>(args)...) {
    if (const Operand* bias = optional_tensor(spec, "bias", 1)) {
      not_batched(spec, "bias", *bias);
      expect_size(spec, "bias", "size", bias->shape[0], "w", channels);
      bias_ = *bias;
      has_bias_ = true;
    }
  }

  int64_t scratch_floats(int64_t n) const override { return form_.scratch_floats(n); }
  int64_t prepared_floats() const override {
    if constexpr (kPrepares<Form>) return form_.prepared_floats();
    return 0;
  }
  const Operand* prepared_from() const override { return &w_; }
  void prepare(const RunContext& context) const override {
    if constexpr (kPrepares<Form>) form_.prepare(context.at(w_), context.prepared);
  }
  const char* algorithm() const override { return algorithm_name(algorithm_); }
  void run(const RunContext& context) const override {
    const float* bias = has_bias_ ? context.at(bias_) : nullptr;
    if constexpr (kPrepares<Form>) {
      form_.run(context.n, context.at(from_), context.at(w_), bias, activation_, context.at(to_), context.scratch, context.prepared);
    } else {
      form_.run(context.n, context.at(from_), context.at(w_), bias, activation_, context.at(to_), context.scratch);
    }
  }

 private:
  Operand from_, w_, bias_, to_;
  bool has_bias_ = false;
  Activation activation_;
  ConvAlgorithm algorithm_;
  Form form_;
};

}  // namespace convlane
