// SPDX-License-Identifier: MIT
#include "conv_algorithm.h"

namespace convlane {

namespace {

// Few channels make short runs of memory (forward) and thin tiles (gradients): copies gather them into longer ones.
Patches default_patches(const ConvGeometry& g, ConvPass pass) {
  if (g.taps() == 1) return Patches::indirect;
  switch (pass) {
    case ConvPass::forward: return g.group_c() < 8 && g.groups == 1 ? Patches::copied : Patches::indirect;
    case ConvPass::input_gradient: return g.group_c() < kernels().width / 2 && g.groups == 1 ? Patches::copied : Patches::indirect;
    default: return g.group_c() < 4 && g.groups == 1 ? Patches::copied : Patches::indirect;
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
