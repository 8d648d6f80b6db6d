// SPDX-License-Identifier: MIT
// Forward and input gradient of convolutions that make poor matrix products: those of few channels on one side. Same sums and phases as
// RowsConvolution, computed line by line of the target.
#pragma once
#include "rows_convolution.h"

namespace convlane {

// Columns of one line of the target, all of a phase, for which the same taps lie inside: tap first_tap of the axis and taps - 1 after it.
struct Stretch {
  int64_t phase, first, columns;
  int64_t first_tap, taps;
};
// By phase, then by position. Taps of a phase are evenly spaced: so are the sources of a stretch.
std::vector<Stretch> stretches_of(const RowsAxis& axis);

// Whether all passes can run as below: at most 4 channels on one side of a single group.
bool direct_convolution_fits(const ConvGeometry& geometry);

class DirectConvolution {
 public:
  DirectConvolution(const ConvGeometry& geometry, Direction direction);

  int64_t scratch_floats(int64_t) const { return packs() ? geometry_.weights() : 0; }
  // `weights` is HWIO in both directions. `bias` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch) const;

 private:
  struct Call;
  struct Lists;

  bool packs() const;
  void pack(const float* weights, float* packed) const;
  int64_t list_rows() const;
  void run_band(const Call& call, int64_t item, Lists& lists) const;

  ConvGeometry geometry_;
  Direction direction_;
  RowsAxis d_, h_, w_;
  std::vector<Stretch> stretches_;
  int64_t source_c_, target_c_;
  Spread spread_;
  int64_t planes_;  // rows of weights and of the source for one tap
};

}  // namespace convlane
