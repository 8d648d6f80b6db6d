// SPDX-License-Identifier: MIT
#include "conv_algorithm.h"

namespace convlane {

namespace {

// Few channels make thin tiles in the gradients: copied patches have as many columns (input) or rows (weights) as there are taps x channels.
Patches default_patches(const ConvGeometry& g, ConvPass pass) {
  constexpr int64_t kNarrow = 32;  // columns of a tile below which the kernel can't hide a row's loads
  const bool few = g.groups == 1 && g.taps() > 1;
  switch (pass) {
    case ConvPass::input_gradient: return few && g.c <= kernels().width / 2 ? Patches::copied : Patches::indirect;
    case ConvPass::weight_gradient: return few && g.c < 4 && Panels(g.oc).width < kNarrow ? Patches::copied : Patches::indirect;
    default: return Patches::indirect;
  }
}

}  // namespace

std::vector<std::string> conv_algorithms(const ConvGeometry& geometry, ConvPass pass) {
  const Patches first = default_patches(geometry, pass);
  return {algorithm_name(first), algorithm_name(first == Patches::copied ? Patches::indirect : Patches::copied)};
}

Patches conv_patches(const StepSpec& spec, const ConvGeometry& geometry, ConvPass pass) {
  const std::string name = spec.string("algorithm", "auto");
  if (name == "auto") return default_patches(geometry, pass);
  if (name == "im2col") return Patches::copied;
  if (name == "indirect") return Patches::indirect;
  refuse(spec, "algorithm must be auto, im2col or indirect, got " + name);
}

}  // namespace convlane
