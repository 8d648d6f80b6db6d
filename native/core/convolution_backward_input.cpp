// SPDX-License-Identifier: MIT
// The gradient of a convolution by its input, and the transposed convolution: the same sums, with a bias and an activation.
#include "conv_algorithm.h"
#include "im2col.h"
#include "ops.h"

namespace convlane {

namespace {

// Names of the operands that are read, the gradient or image and the filters, and of what is written.
struct Names {
  const char *from, *to;
};
constexpr Names kGradient{"dy", "dx"}, kTransposed{"x", "y"};

struct Operands {
  Operand from, w, bias, to;
  bool has_bias = false;
  Activation activation;

  Operands(const StepSpec& spec, const Names& names, const ConvGeometry& geometry)
      : from(spec.operand(names.from)), w(spec.operand("w")), to(spec.operand(names.to)), activation(activation_of(spec)) {
    if (const Operand* given = optional_tensor(spec, "bias", 1)) {
      not_batched(spec, "bias", *given);
      expect_size(spec, "bias", "size", given->shape[0], "w", geometry.c);
      bias = *given;
      has_bias = true;
    }
  }
  const float* bias_at(const RunContext& context) const { return has_bias ? context.at(bias) : nullptr; }
};

class Indirect : public Step {
 public:
  Indirect(const Operands& operands, const ConvGeometry& geometry)
      : operands_(operands), convolution_(geometry, Direction::gradient, Patches::indirect) {}

  int64_t scratch_floats(int64_t) const override { return convolution_.scratch_floats(); }
  const char* algorithm() const override { return algorithm_name(Patches::indirect); }
  void run(const RunContext& context) const override {
    const Operands& o = operands_;
    convolution_.run(context.n, context.at(o.from), context.at(o.w), o.bias_at(context), o.activation, context.at(o.to), context.scratch);
  }

 private:
  Operands operands_;
  RowsConvolution convolution_;
};

class Im2col : public Step {
 public:
  Im2col(const Operands& operands, const ConvGeometry& geometry) : operands_(operands), columns_(geometry) {}

  int64_t scratch_floats(int64_t) const override { return columns_.scratch_floats(); }
  const char* algorithm() const override { return algorithm_name(Patches::copied); }
  void run(const RunContext& context) const override {
    const Operands& o = operands_;
    columns_.run(context.n, context.at(o.from), context.at(o.w), o.bias_at(context), o.activation, context.at(o.to), context.scratch);
  }

 private:
  Operands operands_;
  ColumnsToImage columns_;
};

StepPointer make(const StepSpec& spec, const Names& names) {
  const ConvGeometry geometry = conv_geometry(spec, names.to, "w", names.from);
  const Operands operands(spec, names, geometry);
  if (conv_patches(spec, geometry, ConvPass::input_gradient) == Patches::copied) return std::make_unique<Im2col>(operands, geometry);
  return std::make_unique<Indirect>(operands, geometry);
}

}  // namespace

StepPointer make_convolution_backward_input(const StepSpec& spec) { return make(spec, kGradient); }
StepPointer make_transposed_convolution(const StepSpec& spec) { return make(spec, kTransposed); }

std::vector<std::string> convolution_backward_input_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, kGradient.to, "w", kGradient.from), ConvPass::input_gradient);
}
std::vector<std::string> transposed_convolution_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, kTransposed.to, "w", kTransposed.from), ConvPass::input_gradient);
}

}  // namespace convlane
