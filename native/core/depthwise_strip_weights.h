// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions with windows of 3 x 3, some lines of the output at a time.
#pragma once
#include "depthwise_convolution.h"

namespace convlane {

// Of those that sweeps can compute (depthwise_weights_fit): windows of 3 x 3 whose rows are neighbours, with one stride.
bool depthwise_strip_weights_fit(const ConvGeometry& geometry);

class DepthwiseStripWeights {
 public:
  explicit DepthwiseStripWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const { return cut(n).splits * part_floats(); }
  // Also the bias gradient, unless `db` is null.
  void run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const;

 private:
  // A split is a stretch of all strips with sums of its own, a block a stretch of channels.
  struct Cut {
    int64_t splits, blocks;
  };
  struct Strip {
    int64_t image, out_d, line, lines;
  };
  struct Call;
  Cut cut(int64_t n) const;
  int64_t plane_floats() const;
  int64_t part_floats() const;
  Strip strip(int64_t number) const;
  void add_strip(const Call& call, int64_t number, int64_t first, int64_t channels, float* sums) const;

  ConvGeometry geometry_;
  std::vector<DepthwiseColumns> columns_;
  int64_t strips_;  // of one plane
};

}  // namespace convlane
