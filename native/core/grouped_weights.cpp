// SPDX-License-Identifier: MIT
#include "grouped_weights.h"

#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kPixelsForSums = 16;       // pixels of dy that a split reads for each tap, or more
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums

}  // namespace

GroupedWeights::GroupedWeights(const ConvGeometry& geometry)
    : geometry_(geometry), packing_(geometry, Direction::forward), bands_(line_bands(geometry)) {}

// A split is a stretch of all bands with sums of its own.
int64_t GroupedWeights::splits(int64_t n) const {
  const int64_t pixels = geometry_.batch.of(n) * geometry_.out_pixels();
  return std::max<int64_t>(1, std::min({chunks_for(geometry_.work(n)), bands(n), pixels / (kPixelsForSums * geometry_.taps()), kPartialFloats / packing_.floats()}));
}

void GroupedWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const GroupLanes& lanes = packing_.lanes();
  const int64_t count = splits(n), floats = packing_.floats(), vector_floats = packing_.vector_floats();
  const int64_t parts = std::min(vector_count(lanes), divide_up(chunks_for(geometry_.work(n)), count));
  const int64_t rows = geometry_.d.kernel * geometry_.h.kernel * packing_.block_count();
  const int64_t list_floats = round_up(rows * static_cast<int64_t>(sizeof(GroupedWeightsRow) / sizeof(float)), 16);
  parallel_with_scratch(count * parts, list_floats, [&](int64_t chunk, float* memory) {
    const int64_t split = chunk / parts, part = chunk % parts;
    const int64_t first = part * vector_count(lanes) / parts, last = (part + 1) * vector_count(lanes) / parts;
    float* sums = scratch + split * floats;
    std::fill(sums + first * vector_floats, sums + last * vector_floats, 0.0f);
    const int64_t end = (split + 1) * bands(n) / count;
    for (int64_t band = split * bands(n) / count; band < end; ++band) {
      add_band(x, dy, band, first, last, reinterpret_cast<GroupedWeightsRow*>(memory), sums);
    }
  });
  add_parts(scratch + floats, count - 1, floats, scratch);
  packing_.unpack(scratch, dw);
}

void GroupedWeights::add_band(const float* x, const float* dy, int64_t number, int64_t first_vector, int64_t last_vector, GroupedWeightsRow* rows,
                              float* sums) const {
  const ConvGeometry& g = geometry_;
  const int64_t bands = static_cast<int64_t>(bands_.size());
  const LineBand& band = bands_[static_cast<size_t>(number % bands)];
  const int64_t out_d = number / bands % g.d.out, image = number / bands / g.d.out;
  const TapRange taps_d = taps_inside(g.d, out_d);
  GroupedWeightsArgs args{};
  for (int64_t kd = taps_d.first; kd < taps_d.last; ++kd) {
    for (int64_t kh = band.taps.first; kh < band.taps.last; ++kh) {
      const int64_t line = (image * g.d.in + g.d.source(out_d, kd)) * g.h.in + g.h.source(band.first, kh);
      float* to = sums + (kd * g.h.kernel + kh) * packing_.row_floats();
      for (int64_t b = 0; b < packing_.block_count(); ++b) {
        rows[args.row_count++] = {x + line * g.w.in * g.c, to + packing_.block(b).at, packing_.block(b).offset};
      }
    }
  }
  args.lanes = &packing_.lanes();
  args.first_vector = first_vector;
  args.last_vector = last_vector;
  args.sums_vector = packing_.vector_floats();
  args.rows = rows;
  args.dy = dy + ((image * g.d.out + out_d) * g.h.out + band.first) * g.w.out * g.oc;
  args.lines = band.lines;
  args.x_line = g.h.stride * g.w.in * g.c;
  args.dy_line = g.w.out * g.oc;
  args.taps = packing_.taps();
  args.step = g.w.stride;
  args.x_step = g.c;
  args.dy_step = g.oc;
  args.source = g.w.in;
  args.target = g.w.out;
  kernels().grouped_weights(args);
}

}  // namespace convlane
