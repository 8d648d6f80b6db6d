// SPDX-License-Identifier: MIT
// Which form of a convolution's pass runs: a pure function of geometry and instruction set, or what the attribute `algorithm` says.
#pragma once
#include <string>
#include <vector>

#include "geometry.h"

namespace convlane {

enum class ConvPass { forward, input_gradient, weight_gradient };
enum class ConvAlgorithm { indirect, im2col, direct, winograd2, winograd4, winograd6 };

const char* algorithm_name(ConvAlgorithm algorithm);
// Names of what can run, the default choice first.
std::vector<std::string> conv_algorithms(const ConvGeometry& geometry, ConvPass pass);
// The attribute's choice; `auto` and an absent attribute give the default, `noWinograd` the default without Winograd's, `winograd` the cheapest of these. Refuses
// what cannot run.
ConvAlgorithm conv_algorithm(const StepSpec& spec, const ConvGeometry& geometry, ConvPass pass);
// What the algorithm is to compute: folded axes but for Winograd's, which need their windows, and where there would be too many channels for `direct`.
ConvGeometry geometry_for(ConvAlgorithm algorithm, const ConvGeometry& geometry, ConvPass pass);
// Outputs along each side of a tile; 0 for the algorithms that aren't Winograd's.
int64_t winograd_outputs(ConvAlgorithm algorithm);

}  // namespace convlane
