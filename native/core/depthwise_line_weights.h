// SPDX-License-Identifier: MIT
// Weight gradients of the convolutions that DepthwiseLines is for, line by line of the output.
#pragma once
#include "depthwise_lines.h"

namespace convlane {

class DepthwiseLineWeights {
 public:
  explicit DepthwiseLineWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const { return (splits(n) - 1) * geometry_.weights(); }
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const;

 private:
  int64_t splits(int64_t n) const;
  void add_line(int64_t n, const float* x, const float* dy, int64_t line, DepthwiseLineWeightsRow* rows, float* sums) const;

  ConvGeometry geometry_;
  RowsAxis w_;
  std::vector<Stretch> stretches_;
};

}  // namespace convlane
