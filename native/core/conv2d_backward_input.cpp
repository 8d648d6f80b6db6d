// SPDX-License-Identifier: MIT
#include "conv_algorithm.h"
#include "im2col.h"
#include "ops.h"

namespace convlane {

namespace {

class Indirect : public Step {
 public:
  Indirect(const StepSpec& spec, const ConvGeometry& geometry)
      : dy_(spec.operand("dy")), w_(spec.operand("w")), dx_(spec.operand("dx")), convolution_(geometry, Direction::gradient, Patches::indirect) {}

  int64_t scratch_floats(int64_t) const override { return convolution_.scratch_floats(); }
  const char* algorithm() const override { return algorithm_name(Patches::indirect); }
  void run(const RunContext& context) const override {
    convolution_.run(context.n, context.at(dy_), context.at(w_), nullptr, Activation::linear, context.at(dx_), context.scratch);
  }

 private:
  Operand dy_, w_, dx_;
  RowsConvolution convolution_;
};

class Im2col : public Step {
 public:
  Im2col(const StepSpec& spec, const ConvGeometry& geometry)
      : dy_(spec.operand("dy")), w_(spec.operand("w")), dx_(spec.operand("dx")), columns_(geometry) {}

  int64_t scratch_floats(int64_t) const override { return columns_.scratch_floats(); }
  const char* algorithm() const override { return algorithm_name(Patches::copied); }
  void run(const RunContext& context) const override {
    columns_.run(context.n, context.at(dy_), context.at(w_), context.at(dx_), context.scratch);
  }

 private:
  Operand dy_, w_, dx_;
  ColumnsToImage columns_;
};

}  // namespace

StepPointer make_conv2d_backward_input(const StepSpec& spec) {
  const ConvGeometry geometry = conv2d_geometry(spec, "dx", "w", "dy");
  if (conv_patches(spec, geometry, ConvPass::input_gradient) == Patches::copied) return std::make_unique<Im2col>(spec, geometry);
  return std::make_unique<Indirect>(spec, geometry);
}

std::vector<std::string> conv2d_backward_input_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv2d_geometry(spec, "dx", "w", "dy"), ConvPass::input_gradient);
}

}  // namespace convlane
