// SPDX-License-Identifier: MIT
#include "columns_convolution.h"
#include "conv_algorithm.h"
#include "ops.h"

namespace convlane {

namespace {

class ConvolutionBackwardWeights : public Step {
 public:
  ConvolutionBackwardWeights(const StepSpec& spec, const ConvGeometry& geometry, Patches patches)
      : dy_(spec.operand("dy")), x_(spec.operand("x")), dw_(spec.operand("dw")), patches_(patches), convolution_(geometry, patches) {}

  int64_t scratch_floats(int64_t n) const override { return convolution_.scratch_floats(n); }
  const char* algorithm() const override { return algorithm_name(patches_); }
  void run(const RunContext& context) const override {
    convolution_.run(context.n, context.at(x_), context.at(dy_), context.at(dw_), context.scratch);
  }

 private:
  Operand dy_, x_, dw_;
  Patches patches_;
  ColumnsConvolution convolution_;
};

}  // namespace

StepPointer make_convolution_backward_weights(const StepSpec& spec) {
  const ConvGeometry geometry = conv_geometry(spec, "x", "dw", "dy");
  return std::make_unique<ConvolutionBackwardWeights>(spec, geometry, conv_patches(spec, geometry, ConvPass::weight_gradient));
}

std::vector<std::string> convolution_backward_weights_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, "x", "dw", "dy"), ConvPass::weight_gradient);
}

}  // namespace convlane
