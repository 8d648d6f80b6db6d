// SPDX-License-Identifier: MIT
// The step of a convolution in any form: forward, and the gradient by the input, which is the transposed convolution.
#pragma once
#include <utility>

#include "conv_algorithm.h"
#include "ops.h"

namespace convlane {

// Names of the operands: what is read beside the filters, and what is written.
struct ConvNames {
  const char *from, *to;
};

// Form: scratch_floats(n), and run(n, from, filters, bias or null, activation, to, scratch).
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
  const char* algorithm() const override { return algorithm_name(algorithm_); }
  void run(const RunContext& context) const override {
    form_.run(context.n, context.at(from_), context.at(w_), has_bias_ ? context.at(bias_) : nullptr, activation_, context.at(to_), context.scratch);
  }

 private:
  Operand from_, w_, bias_, to_;
  bool has_bias_ = false;
  Activation activation_;
  ConvAlgorithm algorithm_;
  Form form_;
};

}  // namespace convlane
