// SPDX-License-Identifier: MIT
#include "conv_algorithm.h"
#include "ops.h"

namespace convlane {

namespace {

class Convolution : public Step {
 public:
  Convolution(const StepSpec& spec, const ConvGeometry& geometry, Patches patches)
      : x_(spec.operand("x")),
        w_(spec.operand("w")),
        y_(spec.operand("y")),
        activation_(activation_of(spec)),
        patches_(patches),
        convolution_(geometry, Direction::forward, patches) {
    if (const Operand* bias = optional_tensor(spec, "bias", 1)) {
      not_batched(spec, "bias", *bias);
      expect_size(spec, "bias", "size", bias->shape[0], "w", geometry.oc);
      bias_ = *bias;
      has_bias_ = true;
    }
  }

  int64_t scratch_floats(int64_t) const override { return convolution_.scratch_floats(); }
  const char* algorithm() const override { return algorithm_name(patches_); }
  void run(const RunContext& context) const override {
    convolution_.run(context.n, context.at(x_), context.at(w_), has_bias_ ? context.at(bias_) : nullptr, activation_, context.at(y_), context.scratch);
  }

 private:
  Operand x_, w_, bias_, y_;
  bool has_bias_ = false;
  Activation activation_;
  Patches patches_;
  RowsConvolution convolution_;
};

}  // namespace

StepPointer make_convolution(const StepSpec& spec) {
  const ConvGeometry geometry = conv_geometry(spec, "x", "w", "y");
  return std::make_unique<Convolution>(spec, geometry, conv_patches(spec, geometry, ConvPass::forward));
}

std::vector<std::string> convolution_algorithms(const StepSpec& spec) { return conv_algorithms(conv_geometry(spec, "x", "w", "y"), ConvPass::forward); }

}  // namespace convlane
