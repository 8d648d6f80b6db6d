// SPDX-License-Identifier: MIT
#include "columns_convolution.h"
#include "conv_algorithm.h"
#include "depthwise_weights.h"
#include "few_channels.h"
#include "grouped_weights.h"
#include "ops.h"
#include "winograd.h"

namespace convlane {

namespace {

// Form: scratch_floats(n), and run(n, x, dy, dw, scratch).
template <class Form>
class ConvolutionBackwardWeights : public Step {
 public:
  ConvolutionBackwardWeights(const StepSpec& spec, ConvAlgorithm algorithm, Form form)
      : dy_(spec.operand("dy")), x_(spec.operand("x")), dw_(spec.operand("dw")), algorithm_(algorithm), form_(std::move(form)) {}

  int64_t scratch_floats(int64_t n) const override { return form_.scratch_floats(n); }
  const char* algorithm() const override { return algorithm_name(algorithm_); }
  void run(const RunContext& context) const override {
    form_.run(context.n, context.at(x_), context.at(dy_), context.at(dw_), context.scratch);
  }

 private:
  Operand dy_, x_, dw_;
  ConvAlgorithm algorithm_;
  Form form_;
};

}  // namespace

StepPointer make_convolution_backward_weights(const StepSpec& spec) {
  const ConvGeometry g = conv_geometry(spec, "x", "dw", "dy");
  const ConvAlgorithm algorithm = conv_algorithm(spec, g, ConvPass::weight_gradient);
  if (const int64_t outputs = winograd_outputs(algorithm)) {
    return std::make_unique<ConvolutionBackwardWeights<WinogradFilterGradient>>(spec, algorithm, WinogradFilterGradient(g, *winograd_kernels(g, outputs)));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_weights_fit(g)) {
    return std::make_unique<ConvolutionBackwardWeights<DepthwiseWeights>>(spec, algorithm, DepthwiseWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct && g.groups > 1) {
    return std::make_unique<ConvolutionBackwardWeights<GroupedWeights>>(spec, algorithm, GroupedWeights(g));
  }
  if (algorithm == ConvAlgorithm::direct) return std::make_unique<ConvolutionBackwardWeights<FewWeights>>(spec, algorithm, FewWeights(g));
  const Patches patches = algorithm == ConvAlgorithm::im2col ? Patches::copied : Patches::indirect;
  return std::make_unique<ConvolutionBackwardWeights<ColumnsConvolution>>(spec, algorithm, ColumnsConvolution(g, patches));
}

std::vector<std::string> convolution_backward_weights_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, "x", "dw", "dy"), ConvPass::weight_gradient);
}

}  // namespace convlane
