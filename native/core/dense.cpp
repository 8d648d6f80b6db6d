// SPDX-License-Identifier: MIT
#include "checks.h"
#include "gemm.h"
#include "ops.h"

namespace convlane {

namespace {

class Dense : public Step {
 public:
  explicit Dense(const StepSpec& spec) : x_(tensor(spec, "x", 2)), w_(tensor(spec, "w", 2)), y_(tensor(spec, "y", 2)), activation_(activation_of(spec)) {
    not_batched(spec, "w", w_);
    same_batch(spec, "x", x_, "y", y_);
    expect_size(spec, "w", "inputs", w_.shape[0], "x", x_.shape[1]);
    expect_size(spec, "y", "units", y_.shape[1], "w", w_.shape[1]);
    if (const Operand* bias = optional_tensor(spec, "bias", 1)) {
      not_batched(spec, "bias", *bias);
      expect_size(spec, "bias", "size", bias->shape[0], "w", w_.shape[1]);
      bias_ = *bias;
      has_bias_ = true;
    }
  }

  int64_t scratch_floats(int64_t n) const override { return gemm_scratch_floats(sizes_of(n)); }
  void run(const RunContext& context) const override {
    gemm(sizes_of(context.n), context.at(x_), context.at(w_), has_bias_ ? context.at(bias_) : nullptr, activation_, context.at(y_), context.scratch);
  }

 private:
  GemmSizes sizes_of(int64_t n) const { return {rows_of(x_, n), w_.shape[1], w_.shape[0]}; }

  Operand x_, w_, bias_, y_;
  bool has_bias_ = false;
  Activation activation_;
};

}  // namespace

StepPointer make_dense(const StepSpec& spec) { return std::make_unique<Dense>(spec); }

}  // namespace convlane
