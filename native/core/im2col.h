// SPDX-License-Identifier: MIT
// The classical form of convolution: patches copied out, and added back in.
#pragma once
#include "geometry.h"

namespace convlane {

// Copies what output pixels begin .. end-1 (numbered over all images) read through kernel rows first_row .. last_row-1 (kd · KH + kh) in one group:
// rows · KW · C/groups floats a pixel, in the order of the weights; padding as zeros.
void copy_patches(const ConvGeometry& geometry, const float* x, int64_t group, int64_t begin, int64_t end, int64_t first_row, int64_t last_row, float* to);

// dx = act(bias + the sum of each output pixel's dy · weightsᵀ at the places it was read from). `bias` may be null.
class ColumnsToImage {
 public:
  explicit ColumnsToImage(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* dy, const float* weights, const float* bias, Activation activation, float* dx, float* scratch) const;

 private:
  void add_columns(const float* columns, int64_t pixel, int64_t group, float* dx) const;

  ConvGeometry geometry_;
  int64_t columns_;  // of one pixel and group: taps · C/groups
};

}  // namespace convlane
