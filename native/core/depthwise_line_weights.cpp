// SPDX-License-Identifier: MIT
#include "depthwise_line_weights.h"

#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums

}  // namespace

DepthwiseLineWeights::DepthwiseLineWeights(const ConvGeometry& geometry)
    : geometry_(geometry),
      w_(forward_axis(geometry.w)),
      stretches_(stretches_of(w_)) {}

// A split is a stretch of the output's lines with sums of its own.
int64_t DepthwiseLineWeights::splits(int64_t n) const {
  const int64_t lines = geometry_.batch.of(n) * geometry_.d.out * geometry_.h.out;
  return std::clamp(std::min({chunks_for(geometry_.work(n)), lines, kPartialFloats / geometry_.weights()}), int64_t{1}, kChunks);
}

void DepthwiseLineWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  n = geometry_.batch.of(n);
  const int64_t count = splits(n), lines = n * geometry_.d.out * geometry_.h.out, floats = geometry_.weights();
  const int64_t rows = geometry_.d.kernel * geometry_.h.kernel;
  const int64_t list_floats = round_up(rows * static_cast<int64_t>(sizeof(DepthwiseLineWeightsRow) / sizeof(float)), 16);
  parallel_with_scratch(count, list_floats, [&](int64_t split, float* memory) {
    float* sums = split == 0 ? dw : scratch + (split - 1) * floats;
    std::fill(sums, sums + floats, 0.0f);
    const int64_t last = (split + 1) * lines / count;
    for (int64_t line = split * lines / count; line < last; ++line) {
      add_line(n, x, dy, line, reinterpret_cast<DepthwiseLineWeightsRow*>(memory), sums);
    }
  });
  add_parts(scratch, count - 1, floats, dw);
}

void DepthwiseLineWeights::add_line(int64_t n, const float* x, const float* dy, int64_t line, DepthwiseLineWeightsRow* rows, float* sums) const {
  const ConvGeometry& g = geometry_;
  const int64_t image = line / g.h.out / g.d.out, out_d = line / g.h.out % g.d.out, out_h = line % g.h.out;
  const int64_t tap_floats = g.c;
  const TapRange taps_d = taps_inside(g.d, out_d), taps_h = taps_inside(g.h, out_h);
  int64_t count = 0;
  for (int64_t kd = taps_d.first; kd < taps_d.last; ++kd) {
    for (int64_t kh = taps_h.first; kh < taps_h.last; ++kh) {
      const int64_t number = (image * g.d.in + g.d.source(out_d, kd)) * g.h.in + g.h.source(out_h, kh);
      const float* from = x + number * g.w.in * g.c;
      float* to = sums + (kd * g.h.kernel + kh) * g.w.kernel * tap_floats;
      rows[count++] = {from, to};
    }
  }
  const int64_t pixel = g.oc;
  DepthwiseLineWeightsArgs args{};
  args.row_count = count;
  args.rows = rows;
  args.step = g.w.stride * pixel;
  args.reach = g.w.dilation * pixel;
  args.lds = tap_floats;
  args.ldy = g.oc;
  args.channels = g.oc;
  if (far_from_cache(g, n)) {
    args.x_ahead = g.h.stride * g.w.in * g.c;
    args.dy_ahead = g.w.out * g.oc;
  }
  for (const Stretch& s : stretches_) {
    if (s.taps == 0) continue;
    args.x_offset = g.w.source(s.first, s.first_tap) * pixel;
    args.sums_offset = s.first_tap * tap_floats;
    args.dy = dy + (line * g.w.out + s.first) * g.oc;
    args.taps = s.taps;
    args.columns = s.columns;
    kernels().depthwise_line_weights(args);
  }
}

}  // namespace convlane
