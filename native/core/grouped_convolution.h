// SPDX-License-Identifier: MIT
// Forward and input gradient of convolutions of many groups with few channels each: depthwise ones, and others that make poor matrix products. Same sums and
// phases as RowsConvolution, computed line by line of the target.
#pragma once
#include "spread_rows.h"
#include "stretches.h"

namespace convlane {

// Whether all passes can run as below: several groups of at most 16 channels, and lines of which a few fit in memory.
bool grouped_convolution_fits(const ConvGeometry& geometry);

// Whether n images and their outputs are more than a cache holds: then what comes next is prefetched.
inline bool far_from_cache(const ConvGeometry& g, int64_t n) {
  return n * (g.in_pixels() * g.c + g.out_pixels() * g.oc) >= int64_t{2} << 20;
}

class GroupedConvolution {
 public:
  GroupedConvolution(const ConvGeometry& geometry, Direction direction);

  // Bounds what a thread holds of the source, in floats.
  int64_t spread_floats() const { return spreads() ? SpreadRows::floats(shape_, slots()) : 0; }
  int64_t scratch_floats(int64_t) const { return ((packs() ? 1 : 0) + (blocks() ? 1 : 0)) * geometry_.weights(); }
  // `weights` is HWIO in both directions. `bias` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch) const;

 private:
  struct Call;
  struct Lists;

  bool spreads() const { return !shape_.identity(); }
  bool packs() const;
  bool blocks() const;
  void pack(const float* weights, float* packed) const;
  void block(const float* weights, float* blocked) const;
  int64_t slots() const;
  int64_t list_rows() const;
  void run_band(const Call& call, int64_t item, Lists& lists, SpreadRows* spread) const;

  ConvGeometry geometry_;
  Direction direction_;
  RowsAxis d_, h_, w_;
  std::vector<Stretch> stretches_;
  int64_t source_c_, target_c_;
  SpreadShape shape_;
  int64_t planes_;  // rows of weights and of the source for one tap
};

}  // namespace convlane
