// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions (depthwise_weights_fit), line by line of the output.
#pragma once
#include "depthwise_convolution.h"

namespace convlane {

class DepthwiseWeights {
 public:
  explicit DepthwiseWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const { return (cut(n).splits - 1) * geometry_.weights(); }
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const;

 private:
  // Output lines that have the same rows of the window inside.
  struct Band {
    int64_t first, lines;
    TapRange taps;
  };
  // A split is a stretch of all bands with sums of its own.
  struct Cut {
    int64_t splits, blocks;
  };
  Cut cut(int64_t n) const;
  void add_band(int64_t n, const float* x, const float* dy, int64_t number, int64_t first, int64_t channels, DepthwiseWeightsRow* rows, float* sums) const;

  ConvGeometry geometry_;
  std::vector<DepthwiseColumns> columns_;
  std::vector<Band> bands_;  // of one image and depth
};

}  // namespace convlane
