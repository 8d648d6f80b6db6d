// SPDX-License-Identifier: MIT
#include "depthwise_weights.h"

#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kPixelsForSums = 8;        // pixels of x and dy that a split reads for each of its sums, or more
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kFarFloats = 3 << 20;      // of x and dy that a cache holds

}  // namespace

DepthwiseWeights::DepthwiseWeights(const ConvGeometry& geometry)
    : geometry_(geometry),
      columns_(depthwise_stretches(geometry.w)),
      bands_(line_bands(geometry)) {}

DepthwiseWeights::Cut DepthwiseWeights::cut(int64_t n) const {
  n = geometry_.batch.of(n);
  const int64_t chunks = chunks_for(geometry_.work(n)), bands = n * geometry_.d.out * static_cast<int64_t>(bands_.size());
  const int64_t pixels = n * geometry_.d.out * geometry_.h.out * (geometry_.w.in + geometry_.w.out);
  const int64_t most = std::max<int64_t>(1, std::min({chunks, bands, pixels / (kPixelsForSums * geometry_.taps()), kPartialFloats / geometry_.weights()}));
  if (far(n)) return {most, ChannelBlocks(geometry_.c, divide_up(chunks, most)).count};  // whole lines follow one another
  const int64_t blocks = ChannelBlocks(geometry_.c, chunks).count;                       // less to sum up
  return {std::min(most, divide_up(chunks, blocks)), blocks};
}

void DepthwiseWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const Cut cuts = cut(n);
  n = geometry_.batch.of(n);
  const ChannelBlocks blocks(geometry_.c, cuts.blocks);
  const int64_t bands = n * geometry_.d.out * static_cast<int64_t>(bands_.size()), floats = geometry_.weights(), c = geometry_.c;
  parallel_with_scratch(cuts.splits * blocks.count, list_floats(), [&](int64_t chunk, float* memory) {
    const int64_t split = chunk / blocks.count, block = chunk % blocks.count;
    const int64_t first = blocks.first(block), channels = blocks.first(block + 1) - first;
    float* sums = (split == 0 ? dw : scratch + (split - 1) * floats) + first;
    for (int64_t tap = 0; tap < geometry_.taps(); ++tap) std::fill(sums + tap * c, sums + tap * c + channels, 0.0f);
    const int64_t last = (split + 1) * bands / cuts.splits;
    for (int64_t band = split * bands / cuts.splits; band < last; ++band) {
      add_band(n, x, dy, band, first, channels, memory, sums);
    }
  });
  add_parts(scratch, cuts.splits - 1, floats, dw);
}

// Whether n images and their gradients are more than a cache holds: then what comes next is fetched.
bool DepthwiseWeights::far(int64_t n) const {
  return n * (geometry_.in_pixels() + geometry_.out_pixels()) * geometry_.c >= kFarFloats;
}

int64_t DepthwiseWeights::list_floats() const {
  return round_up(geometry_.d.kernel * geometry_.h.kernel * static_cast<int64_t>(sizeof(DepthwiseWeightsRow) / sizeof(float)), 16);
}

void DepthwiseWeights::add_band(int64_t n, const float* x, const float* dy, int64_t number, int64_t first, int64_t channels, float* memory,
                                float* sums) const {
  const ConvGeometry& g = geometry_;
  const int64_t bands = static_cast<int64_t>(bands_.size()), c = g.c;
  const LineBand& band = bands_[static_cast<size_t>(number % bands)];
  const int64_t out_d = number / bands % g.d.out, image = number / bands / g.d.out;
  const TapRange taps_d = taps_inside(g.d, out_d);

  DepthwiseWeightsRow* rows = reinterpret_cast<DepthwiseWeightsRow*>(memory);
  DepthwiseWeightsArgs args{};
  args.rows = rows;
  args.lines = band.lines;
  args.x_line = g.h.stride * g.w.in * c;
  args.dy_line = g.w.out * c;
  args.taps = g.w.kernel;
  args.stride = g.w.stride;
  const int64_t apart = g.w.stride > 1 ? 1 : g.w.dilation;
  args.x_step = args.dy_step = apart * c;
  args.sums_step = c;
  args.channels = channels;
  if (far(n)) {
    args.x_ahead = band.lines * args.x_line;
    args.dy_ahead = band.lines * args.dy_line;
  }
  for (const DepthwiseColumns& columns : columns_) {
    args.row_count = 0;
    for (int64_t kd = taps_d.first; kd < taps_d.last; ++kd) {
      for (int64_t tap = band.taps.first; tap < band.taps.last; ++tap) {
        const int64_t kh = tap % g.h.kernel, line = band.first + tap / g.h.kernel;
        const int64_t row = (image * g.d.in + g.d.source(out_d, kd)) * g.h.in + g.h.source(line, kh);
        rows[args.row_count++] = {x + (row * g.w.in + columns.x_first) * c + first, sums + (kd * g.h.kernel + kh) * g.w.kernel * c};
      }
    }
    args.dy = dy + (((image * g.d.out + out_d) * g.h.out + band.first) * g.w.out + columns.y_first) * c + first;
    args.source = columns.source;
    args.target = columns.target;
    args.before = columns.before;
    kernels().depthwise_weights(args);
  }
}

}  // namespace convlane
