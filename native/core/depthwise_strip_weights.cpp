// SPDX-License-Identifier: MIT
#include "depthwise_strip_weights.h"

#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kTaps = 9, kSums = kDepthwiseStripSums;
constexpr int64_t kLines = kDepthwiseStripLines;
constexpr int64_t kPixelsForSums = 48;       // pixels of x and dy that a split reads for each of its sums, or more
constexpr int64_t kFewPixels = 8;            // the same where there are few splits
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kFewSplits = 4;            // as many need no blocks of channels: whole lines follow one another

}  // namespace

// The operands of one run.
struct DepthwiseStripWeights::Call {
  const float* x;
  const float* dy;
  int64_t strips;  // of all images
  bool fetches;
};

bool depthwise_strip_weights_fit(const ConvGeometry& g) {
  return depthwise_weights_fit(g) && g.h.kernel == 3 && g.w.kernel == 3 && g.h.dilation == 1 && g.h.stride == g.w.stride;
}

DepthwiseStripWeights::DepthwiseStripWeights(const ConvGeometry& geometry)
    : geometry_(geometry), columns_(depthwise_stretches(geometry.w)), strips_(divide_up(geometry.h.out, kLines)) {}

DepthwiseStripWeights::Cut DepthwiseStripWeights::cut(int64_t n) const {
  n = geometry_.batch.of(n);
  const int64_t chunks = chunks_for(geometry_.work(n)), strips = n * geometry_.d.out * strips_;
  const int64_t pixels = n * geometry_.d.out * geometry_.h.out * (geometry_.w.in + geometry_.w.out);
  const int64_t wanted = std::max(pixels / (kPixelsForSums * geometry_.taps()), std::min(kFewSplits, pixels / (kFewPixels * geometry_.taps())));
  const int64_t splits = std::max<int64_t>(1, std::min({wanted, chunks, strips, kPartialFloats / part_floats()}));
  return {splits, ChannelBlocks(geometry_.c, divide_up(std::min(chunks, kFewSplits), splits)).count};
}

void DepthwiseStripWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const {
  const Cut cuts = cut(n);
  n = geometry_.batch.of(n);
  const ChannelBlocks blocks(geometry_.c, cuts.blocks);
  const bool far = n * (geometry_.in_pixels() + geometry_.out_pixels()) * geometry_.c >= kDepthwiseFarFloats;
  const Call call{x, dy, n * geometry_.d.out * strips_, far && cuts.blocks == 1 && geometry_.w.dilation == 1};
  const int64_t c = geometry_.c, width = kernels().width, floats = part_floats(), plane = plane_floats();
  auto body = [&](int64_t chunk) {
    const int64_t split = chunk / blocks.count, block = chunk % blocks.count, first = blocks.first(block), channels = blocks.first(block + 1) - first;
    float* sums = scratch + split * floats + first * kSums;
    for (int64_t kd = 0; kd < geometry_.d.kernel; ++kd) std::fill_n(sums + kd * plane, round_up(channels, width) * kSums, 0.0f);
    const int64_t last = (split + 1) * call.strips / cuts.splits;
    for (int64_t number = split * call.strips / cuts.splits; number < last; ++number) add_strip(call, number, first, channels, sums);
  };
  if (const int64_t chunks = cuts.splits * blocks.count; chunks == 1) {
    body(0);
  } else {
    parallel_for(chunks, body);
  }
  add_parts(scratch + floats, cuts.splits - 1, floats, scratch);
  for (int64_t kd = 0; kd < geometry_.d.kernel; ++kd) {
    for (int64_t from = 0; from < c; from += width) {
      const int64_t count = std::min(width, c - from);
      const float* sums = scratch + kd * plane + from * kSums + width - count;  // the last vector ends with the last channel
      kernels().pack_rows(sums, width, kTaps, count, count, dw + kd * kTaps * c + from, c);
      if (db == nullptr) continue;
      if (kd == 0) {
        std::copy_n(sums + kTaps * width, count, db + from);
      } else {
        kernels().axpy(1.0f, sums + kTaps * width, db + from, count);
      }
    }
  }
}

// Sums of all channels, in whole vectors, of one plane of taps, and of all.
int64_t DepthwiseStripWeights::plane_floats() const { return round_up(geometry_.c, kernels().width) * kSums; }
int64_t DepthwiseStripWeights::part_floats() const { return round_up(geometry_.d.kernel * plane_floats(), 16); }

DepthwiseStripWeights::Strip DepthwiseStripWeights::strip(int64_t number) const {
  const int64_t line = number % strips_ * kLines, plane = number / strips_;
  return {plane / geometry_.d.out, plane % geometry_.d.out, line, std::min(kLines, geometry_.h.out - line)};
}

void DepthwiseStripWeights::add_strip(const Call& call, int64_t number, int64_t first, int64_t channels, float* sums) const {
  const ConvGeometry& g = geometry_;
  const Strip at = strip(number);
  const TapRange taps_d = taps_inside(g.d, at.out_d);
  const int64_t row = g.h.source(at.line, 0);

  DepthwiseStripArgs args{};
  args.lines = at.lines;
  args.x_line = g.w.in * g.c;
  args.dy_line = g.w.out * g.c;
  args.stride = g.w.stride;
  args.step = (g.w.stride > 1 ? 1 : g.w.dilation) * g.c;
  args.channels = channels;
  args.fetches = call.fetches;
  uint32_t rows = 0;
  for (int64_t r = 0; r < (at.lines - 1) * g.h.stride + 3; ++r) rows |= static_cast<uint32_t>(inside(row + r, g.h.in)) << r;
  for (const DepthwiseColumns& columns : columns_) {
    args.source = columns.source;
    args.target = columns.target;
    args.before = columns.before;
    args.dy = call.dy + (((at.image * g.d.out + at.out_d) * g.h.out + at.line) * g.w.out + columns.y_first) * g.c + first;
    args.totals = true;
    args.rows = rows;
    for (int64_t kd = taps_d.first; kd < taps_d.last; ++kd, args.totals = false) {
      args.x = call.x + (((at.image * g.d.in + g.d.source(at.out_d, kd)) * g.h.in + row) * g.w.in + columns.x_first) * g.c + first;
      args.sums = sums + kd * plane_floats();
      kernels().depthwise_strip_weights(args);
    }
    if (args.totals) {  // no tap inside
      args.rows = 0;
      args.x = call.x;
      args.sums = sums;
      kernels().depthwise_strip_weights(args);
    }
  }
}

}  // namespace convlane
