// SPDX-License-Identifier: MIT
// Forward and input gradient of depthwise convolutions with windows of 3 columns, and forward of some with 5: each channel by itself, line by line of the
// target. DepthwiseTiles computes most windows of 3 x 3, DepthwiseLines the others.
#pragma once
#include "rows_axis.h"

namespace convlane {

// Whether sweeps can compute a convolution's gradient by the weights: one filter for each channel, at least a vector of channels, a window of 3, 5 or 7
// columns, and a stride of the width of 1, or of 2 without dilation.
bool depthwise_weights_fit(const ConvGeometry& geometry);
// Forward and the input gradient, too: with 3 columns. The sums of wider windows spill.
inline bool depthwise_convolution_fits(const ConvGeometry& geometry) { return geometry.w.kernel == 3 && depthwise_weights_fit(geometry); }
// Forward, and with 5 columns and a stride of 2, too, where registers hold the weights.
bool depthwise_forward_fits(const ConvGeometry& geometry);

// Columns of one phase of a dilated window: those of the source from x_first on, those of the target from y_first on, neighbours `dilation` apart.
struct DepthwiseColumns {
  int64_t x_first, y_first;
  int64_t source, target, before;
};
std::vector<DepthwiseColumns> depthwise_columns(int64_t source, int64_t target, int64_t before, int64_t dilation);
// The columns of dy cut into stretches, each with the columns of x that it reads: chains of sums stay short.
std::vector<DepthwiseColumns> depthwise_stretches(const Axis& w);

// Stretches of channels that are worked on by themselves: whole cache lines, but for the last.
struct ChannelBlocks {
  int64_t channels, count;

  ChannelBlocks(int64_t channels, int64_t wanted) : channels(channels), count(std::max<int64_t>(1, std::min(wanted, channels / 64))) {}
  int64_t first(int64_t block) const { return block == count ? channels : block * channels / count / 16 * 16; }
};

// Of what tiles read and write: of more, what comes next is fetched. What a last cache of 32 MB holds comes soon enough as it lies in a row: to fetch it took up
// to 15 % longer (Zen 5).
constexpr int64_t kDepthwiseFarFloats = 4 << 20;
// Whether they are so many that the target goes past them: if lines are written whole.
bool depthwise_streams(int64_t floats, int64_t channels, const float* target);

class DepthwiseConvolution {
 public:
  DepthwiseConvolution(const ConvGeometry& geometry, Direction direction);

  int64_t scratch_floats(int64_t) const { return 0; }
  // `weights` is HWIO in both directions. `bias` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch) const;

 private:
  struct Call;
  // Lines of the target that are computed together: one strip, or one for each.
  struct Band {
    int64_t first, lines;
    bool whole;
  };

  bool complete(int64_t line) const;
  int64_t list_rows(int64_t image, int64_t to_d, int64_t line, int64_t lines, const Call& call, DepthwiseRow* rows) const;
  void run_band(const Call& call, int64_t item, float* memory) const;

  ConvGeometry geometry_;
  RowsAxis d_, h_, w_;
  bool transposed_, turned_;  // a step of the source is several of the target; weights are read from the last to the first
  std::vector<DepthwiseColumns> columns_;
  std::vector<Band> bands_;   // of one image and depth
};

}  // namespace convlane
