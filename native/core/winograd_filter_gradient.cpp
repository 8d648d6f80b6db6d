// SPDX-License-Identifier: MIT
#include <algorithm>

#include "winograd.h"

namespace convlane {

namespace {

constexpr int64_t kRoundFloats = 2 << 20;  // of points of x and dy, at most, where dw doesn't need them all at once
constexpr int64_t kWholeFloats = 8 << 20;  // of all points, at most, for chunks that finish their part of dw
constexpr int64_t kWholeWeights = 2 << 20; // points of dw from which on that pays: they would not stay in cache
constexpr int64_t kSumTiles = 128;         // longest chain of sums
constexpr int64_t kRange = 64;             // channels of x in a chunk
constexpr int64_t kMostPoints = 64;

}  // namespace

WinogradFilterGradient::WinogradFilterGradient(const ConvGeometry& g, const WinogradKernels& size)
    : size_(size), batch_(g.batch), c_(g.c), oc_(g.oc), panels_(g.oc) {
  const int64_t m = size.outputs, rows = divide_up(g.h.out, m), columns = divide_up(g.w.out, m);
  x_ = {g.h.in, g.w.in, c_, m, size.points, g.h.before, g.w.before, rows, columns};
  dy_ = {g.h.out, g.w.out, oc_, m, m, 0, 0, rows, columns};
}

WinogradFilterGradient::Cuts WinogradFilterGradient::cut(int64_t n) const {
  const int64_t tiles = batch_.of(n) * x_.per_image(), per_tile = points() * (c_ + oc_);
  Cuts cuts;
  cuts.whole = points() * c_ * oc_ >= kWholeWeights && tiles * per_tile <= kWholeFloats;
  cuts.rounds = cuts.whole ? 1 : divide_up(tiles, std::clamp(kRoundFloats / per_tile, std::min(kSumTiles, tiles), tiles));
  cuts.round = divide_up(tiles, cuts.rounds);
  cuts.rounds = divide_up(tiles, cuts.round);
  cuts.range = round_up(std::min(kRange, c_), panels_.rows);
  cuts.ranges = divide_up(c_, cuts.range);
  return cuts;
}

int64_t WinogradFilterGradient::scratch_floats(int64_t n) const {
  // The most of any batch up to n: rounds are longest where a whole batch is one. Chunks that finish their part of dw keep their sums to themselves.
  const int64_t tiles = batch_.of(n) * x_.per_image(), per_tile = points() * (c_ + oc_);
  const int64_t round = std::min(tiles, std::max({kWholeFloats / per_tile, kRoundFloats / per_tile, kSumTiles}));
  const int64_t sums = cut(n).whole ? 0 : c_ * oc_ + 16;
  return round_up(std::max(c_, oc_), 16) + points() * (point_floats(round, c_) + point_floats(round, oc_) + sums);
}

void WinogradFilterGradient::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const int64_t tiles = batch_.of(n) * x_.per_image();
  const Cuts cuts = cut(n);
  float* zeros = scratch;
  float* x_points = zeros + round_up(std::max(c_, oc_), 16);
  float* dy_points = x_points + points() * point_floats(cuts.round, c_);
  float* sums = dy_points + points() * point_floats(cuts.round, oc_);
  std::fill(zeros, zeros + std::max(c_, oc_), 0.0f);
  const int64_t x_step = point_floats(cuts.round, c_), dy_step = point_floats(cuts.round, oc_), sum_step = c_ * oc_ + 16;

  for (int64_t first = 0; first < tiles; first += cuts.round) {
    const int64_t count = std::min(cuts.round, tiles - first);
    const int64_t grain = std::max<int64_t>(1, kElementGrain / (points() * (c_ + oc_)));
    parallel_blocks(count, grain, [&](int64_t begin, int64_t end) {
      float* pixels[kMostPoints];
      WinogradTile of_x{pixels, x_points + begin * c_, x_step, c_, nullptr, false};
      WinogradTile of_dy{pixels, dy_points + begin * oc_, dy_step, oc_, nullptr, false};
      for (int64_t t = first + begin; t < first + end; ++t, of_x.points += c_, of_dy.points += oc_) {
        x_.list(x, t, zeros, pixels);
        size_.input(of_x);
        dy_.list(dy, t, zeros, pixels);
        size_.gradient(of_dy);
      }
    });
    if (cuts.whole) {
      const int64_t width = panels_.width, step = cuts.range * width + 16;
      parallel_with_scratch(cuts.ranges * panels_.count, points() * step, [&](int64_t chunk, float* memory) {
        const int64_t panel = chunk % panels_.count, channel = chunk / panels_.count * cuts.range, channels = std::min(cuts.range, c_ - channel);
        for (int64_t point = 0; point < points(); ++point) {
          multiply(count, x_points + point * x_step, dy_points + point * dy_step, channel, channels, panel, false, memory + point * step, width);
        }
        finish(memory, step, width, channel, channels, panel, dw);
      });
      return;
    }
    const int64_t pieces = cuts.ranges * panels_.count;
    parallel_blocks(points() * pieces, 1, [&](int64_t item, int64_t) {
      const int64_t point = item / pieces, panel = item % panels_.count, channel = item / panels_.count % cuts.ranges * cuts.range;
      const int64_t channels = std::min(cuts.range, c_ - channel);
      multiply(count, x_points + point * x_step, dy_points + point * dy_step, channel, channels, panel, first > 0,
               sums + point * sum_step + channel * oc_ + panels_.first(panel), oc_);
    });
  }
  constexpr int64_t kRows = 8;
  const int64_t stretches = divide_up(c_, kRows);
  parallel_blocks(stretches * panels_.count, 1, [&](int64_t item, int64_t) {
    const int64_t panel = item % panels_.count, channel = item / panels_.count * kRows;
    finish(sums + channel * oc_ + panels_.first(panel), sum_step, oc_, channel, std::min(kRows, c_ - channel), panel, dw);
  });
}

// to [channels, columns of the panel] (+)= sum over tiles of x [tile, channel] dy [tile, column]
void WinogradFilterGradient::multiply(int64_t tiles, const float* x, const float* dy, int64_t first_channel, int64_t channels, int64_t panel,
                                      bool accumulate, float* to, int64_t ld) const {
  const KernelTable& table = kernels();
  GemmColsRun run{};
  GemmColsArgs args{};
  args.runs = &run;
  args.run_count = 1;
  args.lda = c_;
  args.ldb = oc_;
  args.b_offset = panels_.first(panel);
  args.ldc = ld;
  args.vectors = panels_.vectors_of(panel);
  args.columns = panels_.columns_of(panel);
  const int64_t part = divide_up(tiles, divide_up(tiles, kSumTiles));
  for (int64_t t = 0; t < tiles; t += part) {
    run = {x + t * c_, dy + t * oc_, std::min(part, tiles - t)};
    args.accumulate = accumulate || t > 0;
    for (int64_t c = 0; c < channels; c += panels_.rows) {
      args.a_offset = first_channel + c;
      args.c = to + c * ld;
      args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, channels - c));
      table.gemm_cols(args);
    }
  }
}

void WinogradFilterGradient::finish(const float* from, int64_t step, int64_t ld, int64_t first_channel, int64_t channels, int64_t panel, float* dw) const {
  WinogradFilters f{};
  f.from = from;
  f.from_step = step;
  f.from_row = ld;
  f.to = dw + first_channel * oc_ + panels_.first(panel);
  f.to_step = c_ * oc_;
  f.to_row = oc_;
  f.rows = channels;
  f.columns = panels_.columns_of(panel);
  size_.filter_gradient(f);
}

}  // namespace convlane
