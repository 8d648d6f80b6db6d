// SPDX-License-Identifier: MIT
// Forward and input gradient of depthwise convolutions with any window, stride and dilation. Same sums and phases as RowsConvolution, computed line by line of
// the target.
#pragma once
#include "line_bands.h"
#include "stretches.h"

namespace convlane {

// Whether all passes can run as below: one filter for each channel.
inline bool depthwise_lines_fit(const ConvGeometry& g) { return g.groups > 1 && g.c == g.groups && g.oc == g.groups; }

// Whether n images and their outputs are more than a cache holds: then what comes next is prefetched.
inline bool far_from_cache(const ConvGeometry& g, int64_t n) {
  return n * (g.in_pixels() * g.c + g.out_pixels() * g.oc) >= int64_t{2} << 20;
}

class DepthwiseLines {
 public:
  DepthwiseLines(const ConvGeometry& geometry, Direction direction);

  int64_t scratch_floats(int64_t) const { return blocks() ? geometry_.weights() : 0; }
  // `weights` is HWIO in both directions. `bias` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch) const;

 private:
  struct Call;
  struct Lists;

  bool blocks() const;
  void block(const float* weights, float* blocked) const;
  int64_t list_rows() const;
  void run_band(const Call& call, const LineGroups& groups, int64_t item, Lists& lists) const;

  ConvGeometry geometry_;
  RowsAxis d_, h_, w_;
  bool whole_lines_;  // each line is one stretch, what its windows reach past the edges included
  std::vector<Stretch> stretches_;
};

}  // namespace convlane
