// SPDX-License-Identifier: MIT
#include "conv_step.h"
#include "depthwise_convolution.h"
#include "few_dots.h"
#include "grouped_convolution.h"
#include "depthwise_lines.h"
#include "depthwise_tiles.h"
#include "rows_convolution.h"
#include "winograd.h"

namespace convlane {

namespace {

constexpr ConvNames kNames{"x", "y"};

}  // namespace

StepPointer make_convolution(const StepSpec& spec) {
  const ConvGeometry geometry = conv_geometry(spec, kNames.from, "w", kNames.to);
  const ConvAlgorithm algorithm = conv_algorithm(spec, geometry, ConvPass::forward);
  const ConvGeometry g = geometry_for(algorithm, geometry, ConvPass::forward);
  if (const int64_t outputs = winograd_outputs(algorithm)) {
    return std::make_unique<ConvStep<WinogradConvolution>>(spec, kNames, g.oc, algorithm, g, Direction::forward, *winograd_kernels(g, outputs));
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_tiles_fit(g, Direction::forward)) {
    return std::make_unique<ConvStep<DepthwiseTiles>>(spec, kNames, g.oc, algorithm, g, Direction::forward);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_forward_fits(g)) {
    return std::make_unique<ConvStep<DepthwiseConvolution>>(spec, kNames, g.oc, algorithm, g, Direction::forward);
  }
  if (algorithm == ConvAlgorithm::direct && depthwise_lines_fit(g)) {
    return std::make_unique<ConvStep<DepthwiseLines>>(spec, kNames, g.oc, algorithm, g, Direction::forward);
  }
  if (algorithm == ConvAlgorithm::direct && g.groups > 1) {
    return std::make_unique<ConvStep<GroupedConvolution>>(spec, kNames, g.oc, algorithm, g, Direction::forward);
  }
  if (algorithm == ConvAlgorithm::direct) {
    if (FewChannels(g).mirrored && FewDots::pays(g)) return std::make_unique<ConvStep<FewDots>>(spec, kNames, g.oc, algorithm, g);
    if (FewChannels(g).mirrored) return std::make_unique<ConvStep<ManyToFew>>(spec, kNames, g.oc, algorithm, g);
    return std::make_unique<ConvStep<FewToMany>>(spec, kNames, g.oc, algorithm, g);
  }
  const Patches patches = algorithm == ConvAlgorithm::im2col ? Patches::copied : Patches::indirect;
  return std::make_unique<ConvStep<RowsConvolution>>(spec, kNames, g.oc, algorithm, g, Direction::forward, patches);
}

std::vector<std::string> convolution_algorithms(const StepSpec& spec) {
  return conv_algorithms(conv_geometry(spec, kNames.from, "w", kNames.to), ConvPass::forward);
}

}  // namespace convlane
