// SPDX-License-Identifier: MIT
// The gradient of a convolution by its input, and the transposed convolution: the same sums, with a bias and an activation.
#include "conv_step.h"
#include "depthwise_convolution.h"
#include "few_dots.h"
#include "gemm.h"
#include "grouped_convolution.h"
#include "depthwise_lines.h"
#include "depthwise_tiles.h"
#include "im2col.h"
#include "rows_convolution.h"
#include "winograd.h"

namespace convlane {

namespace {

constexpr ConvNames kGradient{"dy", "dx"}, kTransposed{"x", "y"};

// The gradient by images of one pixel: dx = dy · wᵀ, for few images without packing the filters, which change from step to step.
class DenseGradient {
 public:
  explicit DenseGradient(const ConvGeometry& geometry) : geometry_(geometry) {}
  int64_t scratch_floats(int64_t n) const { return gemm_scratch_floats(sizes(n)); }
  void run(int64_t n, const float* dy, const float* w, const float*, Activation, float* dx, float* scratch) const {
    gemm(sizes(n), dy, w, nullptr, Activation::linear, dx, scratch);
  }

 private:
  GemmSizes sizes(int64_t n) const { return {geometry_.batch.of(n), geometry_.c, geometry_.oc, false, true}; }

  ConvGeometry geometry_;
};

ConvGeometry geometry_of(const StepSpec& spec, const ConvNames& names) {
  ConvGeometry geometry = conv_geometry(spec, names.to, "w", names.from);
  geometry.folds = optional_tensor(spec, "bias", 1) == nullptr;
  return geometry;
}

StepPointer make(const StepSpec& spec, const ConvNames& names) {
  const ConvGeometry geometry = geometry_of(spec, names);
  const ConvAlgorithm algorithm = conv_algorithm(spec, geometry, ConvPass::input_gradient);
  const ConvGeometry g = geometry_for(algorithm, geometry, ConvPass::input_gradient);
  if (const int64_t outputs = winograd_outputs(algorithm)) {
    return std::make_unique<ConvStep<WinogradConvolution>>(spec, names, geometry.c, algorithm, g, Direction::gradient, *winograd_kernels(g, outputs));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_tiles_fit(g, Direction::gradient)) {
    return std::make_unique<ConvStep<DepthwiseTiles>>(spec, names, geometry.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_convolution_fits(g)) {
    return std::make_unique<ConvStep<DepthwiseConvolution>>(spec, names, geometry.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_lines_fit(g)) {
    return std::make_unique<ConvStep<DepthwiseLines>>(spec, names, geometry.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && g.groups > 1) {
    return std::make_unique<ConvStep<GroupedConvolution>>(spec, names, geometry.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct) {
    if (FewChannels(g).mirrored) return std::make_unique<ConvStep<FewToMany>>(spec, names, geometry.c, algorithm, g);
    if (FewDots::pays(g)) return std::make_unique<ConvStep<FewDots>>(spec, names, geometry.c, algorithm, g);
    return std::make_unique<ConvStep<ManyToFew>>(spec, names, geometry.c, algorithm, g);
  }
  if (algorithm == ConvAlgorithm::im2col) return std::make_unique<ConvStep<ColumnsToImage>>(spec, names, geometry.c, algorithm, g);
  if (names.to == kGradient.to && g.dense()) return std::make_unique<ConvStep<DenseGradient>>(spec, names, geometry.c, algorithm, g);
  return std::make_unique<ConvStep<RowsConvolution>>(spec, names, geometry.c, algorithm, g, Direction::gradient, Patches::indirect);
}

std::vector<std::string> algorithms(const StepSpec& spec, const ConvNames& names) {
  return conv_algorithms(geometry_of(spec, names), ConvPass::input_gradient);
}

}  // namespace

StepPointer make_convolution_backward_input(const StepSpec& spec) { return make(spec, kGradient); }
StepPointer make_transposed_convolution(const StepSpec& spec) { return make(spec, kTransposed); }
std::vector<std::string> convolution_backward_input_algorithms(const StepSpec& spec) { return algorithms(spec, kGradient); }
std::vector<std::string> transposed_convolution_algorithms(const StepSpec& spec) { return algorithms(spec, kTransposed); }

}  // namespace convlane
