// SPDX-License-Identifier: MIT
#include "column_sums.h"
#include "few_channels.h"
#include "partial_sums.h"

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

int64_t FewWeights::scratch_floats(int64_t n) const {
  const ConvGeometry& g = view_.g;
  const int64_t sums = (splits(n) - (view_.mirrored ? 0 : 1)) * g.weights();
  return sums + (view_.mirrored ? ColumnSums(rows(n), g.c).scratch_floats() : (splits(n) - 1) * g.oc);
}

int64_t FewWeights::rows(int64_t n) const { return view_.g.batch.of(n) * view_.g.in_pixels(); }

void FewWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const {
  const ConvGeometry& g = view_.g;
  const float* few = view_.mirrored ? dy : x;
  const float* many = view_.mirrored ? x : dy;
  const int64_t count = splits(n), floats = g.weights();
  float* const total = view_.mirrored ? scratch : dw;
  float* const parts = view_.mirrored ? scratch + floats : scratch;
  float* const total_parts = parts + (count - 1) * floats;
  parallel_with_scratch(count, bands_.floats(), [&](int64_t split, float* memory) {
    float* sums = split == 0 ? total : parts + (split - 1) * floats;
    float* totals = db == nullptr || view_.mirrored ? nullptr : split == 0 ? db : total_parts + (split - 1) * g.oc;
    add(n, split, few, many, memory, sums, totals);
  });
  add_parts(parts, count - 1, floats, total);
  if (view_.mirrored) view_.from_terms(total, dw);
  if (db == nullptr) return;
  if (view_.mirrored) return ColumnSums(rows(n), g.c).run(dy, db, total_parts);
  add_parts(total_parts, count - 1, g.oc, db);
}

// The sums of one split, and of the many alone where `totals` is not null.
void FewWeights::add(int64_t n, int64_t split, const float* few, const float* many, float* memory, float* sums, float* totals) const {
  const ConvGeometry& g = view_.g;
  const int64_t bands = bands_.count(g.batch.of(n)), first = split * bands / splits(n), last = (split + 1) * bands / splits(n);
  const int64_t rows = view_.terms() + (totals == nullptr ? 0 : 1);  // of registers: the totals are the last one
  FewColsArgs args{};
  args.x = memory;
  args.pixels = bands_.pixels();
  args.ldy = args.lds = g.oc;
  for (int64_t number = first; number < last; ++number) {
    const FewBands::Band band = bands_.copy(number, few, memory, number > first);
    args.count = band.pixels;
    args.accumulate = number > first;
    for (int64_t panel = 0; panel < panels_.count; ++panel) {
      const int64_t column = panels_.first(panel), columns = panels_.columns_of(panel);
      args.y = many + band.first * g.oc + column;
      args.vectors = panels_.vectors_of(panel);
      args.columns = static_cast<int32_t>(columns);
      const int64_t tiles = divide_up(rows, kernels().few_terms_of[args.vectors]), lines = divide_up(columns, kLineFloats);
      for (int64_t tile = 0, line = 0; tile < tiles; ++tile) {
        const int64_t term = tile * rows / tiles;
        const bool with_totals = totals != nullptr && tile == tiles - 1;
        args.terms = bands_.terms() + term;
        args.m = static_cast<int32_t>((tile + 1) * rows / tiles - term - (with_totals ? 1 : 0));
        args.sums = sums + term * g.oc + column;
        args.totals = with_totals ? totals + column : nullptr;
        // The tiles of a panel share out the lines of the next band among them.
        for (int64_t& ahead : args.ahead) {
          const bool more = line < (tile + 1) * lines / tiles || (tile == tiles - 1 && line < lines);
          ahead = more ? band.pixels * g.oc + line++ * kLineFloats : 0;
        }
        kernels().few_cols(args);
      }
    }
  }
}

}  // namespace convlane
