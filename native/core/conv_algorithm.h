// SPDX-License-Identifier: MIT
// Which form of a convolution's pass runs: a pure function of geometry and instruction set, or what the attribute `algorithm` says.
#pragma once
#include <string>
#include <vector>

#include "geometry.h"
#include "rows_convolution.h"

namespace convlane {

enum class ConvPass { forward, input_gradient, weight_gradient };

// Names of what can run, the default choice first.
std::vector<std::string> conv_algorithms(const ConvGeometry& geometry, ConvPass pass);
// The attribute's choice; `auto` and an absent attribute give the default.
Patches conv_patches(const StepSpec& spec, const ConvGeometry& geometry, ConvPass pass);
inline const char* algorithm_name(Patches patches) { return patches == Patches::copied ? "im2col" : "indirect"; }

}  // namespace convlane
