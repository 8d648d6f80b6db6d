// SPDX-License-Identifier: MIT
// The gradient of a convolution by its input, and the transposed convolution: the same sums, with a bias and an activation.
#include "conv_step.h"
#include "depthwise_convolution.h"
#include "few_dots.h"
#include "grouped_convolution.h"
#include "depthwise_lines.h"
#include "depthwise_tiles.h"
#include "im2col.h"
#include "rows_convolution.h"
#include "winograd.h"

namespace convlane {

namespace {

constexpr ConvNames kGradient{"dy", "dx"}, kTransposed{"x", "y"};

StepPointer make(const StepSpec& spec, const ConvNames& names) {
  const ConvGeometry g = conv_geometry(spec, names.to, "w", names.from);
  const ConvAlgorithm algorithm = conv_algorithm(spec, g, ConvPass::input_gradient);
  if (const int64_t outputs = winograd_outputs(algorithm)) {
    return std::make_unique<ConvStep<WinogradConvolution>>(spec, names, g.c, algorithm, g, Direction::gradient, *winograd_kernels(g, outputs));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_tiles_fit(g, Direction::gradient)) {
    return std::make_unique<ConvStep<DepthwiseTiles>>(spec, names, g.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_convolution_fits(g)) {
    return std::make_unique<ConvStep<DepthwiseConvolution>>(spec, names, g.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_lines_fit(g)) {
    return std::make_unique<ConvStep<DepthwiseLines>>(spec, names, g.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct && g.groups > 1) {
    return std::make_unique<ConvStep<GroupedConvolution>>(spec, names, g.c, algorithm, g, Direction::gradient);
  }
  if (algorithm == ConvAlgorithm::direct) {
    if (FewChannels(g).mirrored) return std::make_unique<ConvStep<FewToMany>>(spec, names, g.c, algorithm, g);
    if (FewDots::pays(g)) return std::make_unique<ConvStep<FewDots>>(spec, names, g.c, algorithm, g);
    return std::make_unique<ConvStep<ManyToFew>>(spec, names, g.c, algorithm, g);
  }
  if (algorithm == ConvAlgorithm::im2col) return std::make_unique<ConvStep<ColumnsToImage>>(spec, names, g.c, algorithm, g);
  return std::make_unique<ConvStep<RowsConvolution>>(spec, names, g.c, algorithm, g, Direction::gradient, Patches::indirect);
}

std::vector<std::string> algorithms(const StepSpec& spec, const ConvNames& names) {
  return conv_algorithms(conv_geometry(spec, names.to, "w", names.from), ConvPass::input_gradient);
}

}  // namespace

StepPointer make_convolution_backward_input(const StepSpec& spec) { return make(spec, kGradient); }
StepPointer make_transposed_convolution(const StepSpec& spec) { return make(spec, kTransposed); }
std::vector<std::string> convolution_backward_input_algorithms(const StepSpec& spec) { return algorithms(spec, kGradient); }
std::vector<std::string> transposed_convolution_algorithms(const StepSpec& spec) { return algorithms(spec, kTransposed); }

}  // namespace convlane
