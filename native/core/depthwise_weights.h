// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions (depthwise_weights_fit), line by line of the output.
#pragma once
#include "depthwise_convolution.h"
#include "line_bands.h"

namespace convlane {

class DepthwiseWeights {
 public:
  explicit DepthwiseWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const { return (cut(n).splits - 1) * geometry_.weights(); }
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const;

 private:
  // A split is a stretch of all bands with sums of its own.
  struct Cut {
    int64_t splits, blocks;
  };
  Cut cut(int64_t n) const;
  bool far(int64_t n) const;
  int64_t list_floats() const;
  void add_band(int64_t n, const float* x, const float* dy, int64_t number, int64_t first, int64_t channels, float* memory, float* sums) const;

  ConvGeometry geometry_;
  std::vector<DepthwiseColumns> columns_;
  std::vector<LineBand> bands_;  // of one image and depth
};

}  // namespace convlane
