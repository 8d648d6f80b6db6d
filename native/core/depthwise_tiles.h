// SPDX-License-Identifier: MIT
// Forward of depthwise convolutions with windows of 3 x 3, and the input gradient of those with a stride of 1: tiles of two lines of the target and a few
// columns, where these take less time than DepthwiseConvolution's sweeps.
#pragma once
#include "depthwise_convolution.h"

namespace convlane {

// 3 x 3 rows and columns of one plane, one stride, rows that are neighbours; of the gradient with a stride of 1.
bool depthwise_tiles_fit(const ConvGeometry& geometry, Direction direction);

class DepthwiseTiles {
 public:
  DepthwiseTiles(const ConvGeometry& geometry, Direction direction);

  int64_t scratch_floats(int64_t) const;
  // `weights` is HWIO in both directions. `bias` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch) const;

 private:
  struct Call;
  void pack(const float* weights, const float* bias, float* packed) const;
  void run_strip(const Call& call, int64_t number, int64_t first, int64_t channels) const;

  ConvGeometry geometry_;
  bool turned_;       // the gradient: weights from the last to the first
  Axis h_, w_;        // of what is read and written
  int64_t planes_;    // of the target, in an image
  int64_t strips_;    // of one plane
  std::vector<DepthwiseColumns> columns_;
};

}  // namespace convlane
