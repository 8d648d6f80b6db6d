// SPDX-License-Identifier: MIT
// Forward and input gradient of convolutions of many groups with few channels each, which make poor matrix products. Same sums and phases as RowsConvolution,
// computed line by line of the target.
#pragma once
#include "group_packing.h"
#include "line_bands.h"

namespace convlane {

class GroupedConvolution {
 public:
  GroupedConvolution(const ConvGeometry& geometry, Direction direction);

  int64_t scratch_floats(int64_t) const { return packing_.floats(); }
  int64_t prepared_floats() const { return packing_.floats(); }
  void prepare(const float* weights, float* prepared) const { packing_.pack(weights, prepared); }
  // `weights` is HWIO in both directions. `bias` and `prepared` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch,
           const float* prepared) const;

 private:
  struct Call;
  void run_band(const Call& call, const LineGroups& groups, int64_t item, float* memory) const;

  ConvGeometry geometry_;
  RowsAxis d_, h_;
  GroupPacking packing_;
  int64_t source_c_, target_c_;
};

}  // namespace convlane
