// SPDX-License-Identifier: MIT
// Weight gradients of the convolutions that GroupedConvolution is for, line by line of the output.
#pragma once
#include "group_packing.h"
#include "line_bands.h"

namespace convlane {

class GroupedWeights {
 public:
  explicit GroupedWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const { return splits(n) * packing_.floats(); }
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const;

 private:
  int64_t bands(int64_t n) const { return geometry_.batch.of(n) * geometry_.d.out * static_cast<int64_t>(bands_.size()); }
  int64_t splits(int64_t n) const;
  void add_band(const float* x, const float* dy, int64_t number, int64_t first_vector, int64_t last_vector, GroupedWeightsRow* rows, float* sums) const;

  ConvGeometry geometry_;
  GroupPacking packing_;
  std::vector<LineBand> bands_;  // of one image and depth
};

}  // namespace convlane
