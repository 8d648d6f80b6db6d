// SPDX-License-Identifier: MIT
#include "few_channels.h"

namespace convlane {

namespace {

constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kMostSplits = 16;
constexpr int64_t kBlockFloats = 64 << 10;   // of the many in a band: read again for each tile of terms, while in L2
constexpr int64_t kLeastPixels = 128;
constexpr int64_t kLineFloats = 16;

int64_t band_pixels(int64_t many) { return std::clamp(kBlockFloats / many, kLeastPixels, kBandPixels); }

}  // namespace

FewWeights::FewWeights(const ConvGeometry& geometry) : view_(geometry), bands_(view_.g, band_pixels(view_.g.oc)), panels_(view_.g.oc) {}

// A split is a stretch of bands with sums of its own.
int64_t FewWeights::splits(int64_t n) const {
  const ConvGeometry& g = view_.g;
  return std::clamp(std::min({chunks_for(g.work(n)), bands_.count(g.batch.of(n)), kPartialFloats / g.weights()}), int64_t{1}, kMostSplits);
}

int64_t FewWeights::scratch_floats(int64_t n) const { return (splits(n) - (view_.mirrored ? 0 : 1)) * view_.g.weights(); }

void FewWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const ConvGeometry& g = view_.g;
  n = g.batch.of(n);
  const float* few = view_.mirrored ? dy : x;
  const float* many = view_.mirrored ? x : dy;
  const int64_t count = splits(n), bands = bands_.count(n), floats = g.weights(), terms = view_.terms();
  float* total = dw;
  if (view_.mirrored) {
    total = scratch;
    scratch += floats;
  }
  parallel_with_scratch(count, bands_.floats(), [&](int64_t split, float* memory) {
    float* sums = split == 0 ? total : scratch + (split - 1) * floats;
    const int64_t first = split * bands / count, last = (split + 1) * bands / count;
    FewColsArgs args{};
    args.x = memory;
    args.pixels = bands_.pixels();
    args.ldy = args.lds = g.oc;
    for (int64_t number = first; number < last; ++number) {
      const FewBands::Band band = bands_.copy(number, few, memory);
      args.count = band.pixels;
      args.accumulate = number > first;
      for (int64_t panel = 0; panel < panels_.count; ++panel) {
        const int64_t column = panels_.first(panel), columns = panels_.columns_of(panel);
        args.y = many + band.first * g.oc + column;
        args.vectors = panels_.vectors_of(panel);
        args.columns = static_cast<int32_t>(columns);
        const int64_t tiles = divide_up(terms, kernels().few_terms_of[args.vectors]);
        for (int64_t tile = 0; tile < tiles; ++tile) {
          const int64_t term = tile * terms / tiles;
          args.terms = bands_.terms() + term;
          args.m = static_cast<int32_t>((tile + 1) * terms / tiles - term);
          args.sums = sums + term * g.oc + column;
          // The tiles of a panel share out the lines of the next band among them.
          args.ahead = tile * kLineFloats < columns ? band.pixels * g.oc + tile * kLineFloats : 0;
          kernels().few_cols(args);
        }
      }
    }
  });
  if (count > 1) {
    parallel_blocks(floats, kElementGrain / 4, [&](int64_t begin, int64_t end) {
      for (int64_t split = 1; split < count; ++split) kernels().axpy(1.0f, scratch + (split - 1) * floats + begin, total + begin, end - begin);
    });
  }
  if (view_.mirrored) view_.from_terms(total, dw);
}

}  // namespace convlane
