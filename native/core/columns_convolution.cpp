// SPDX-License-Identifier: MIT
#include "columns_convolution.h"

#include <algorithm>

#include "im2col.h"
#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kSplitPixels = 1536;       // fewest pixels of a split
constexpr int64_t kMostSplits = 16;
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kBlockFloats = 64 << 10;   // of x and dy between two visits to the same weights: they stay in L2
constexpr int64_t kBlockPixelsLeast = 256;   // so that loading and storing the sums is cheap against the reduction
constexpr int64_t kBlockPixelsMost = 1024;   // so that no sum is one long chain
constexpr int64_t kBlockRowsMost = 256;
constexpr int64_t kAheadFloats = 96 << 10;   // of x and dy in a block, at most, where those of the next one are fetched meanwhile
constexpr int64_t kLine = 16;                // floats that are fetched at once
constexpr int64_t kLinesMost = 256;          // fetched with a tile

}  // namespace

ColumnsConvolution::ColumnsConvolution(const ConvGeometry& geometry, Patches patches)
    : geometry_(geometry), patches_(patches), turned_(turns(geometry, patches)), rows_(turned_ ? geometry.oc : geometry.group_c()),
      panels_(turned_ ? geometry.c : geometry.group_oc()) {}

// Whether the columns of the product are the channels of x: where that wastes less of the tiles or makes wider ones, and where both are alike but x has fewer
// channels, because the panel that all tiles read again is then a smaller one: but of many channels turning back takes longer than that saves. With one tap waste
// and width count for less than reading the larger side but once.
bool ColumnsConvolution::turns(const ConvGeometry& g, Patches patches) {
  constexpr int64_t kMostChannels = 96;
  constexpr double kWaste = 1.3, kNarrow = 1.1;  // tiles of one and two vectors of 16 have 72 and 81 % of the limit, wider ones 88
  const int64_t narrow = (g.taps() == 1 ? 1 : 2) * kernels().width;
  if (patches == Patches::copied || g.groups > 1 || g.c <= kernels().width) return false;
  auto tiles = [narrow](int64_t rows, int64_t columns) {
    const Panels panels(columns);
    const double cost = panels.width > narrow ? 1 : kNarrow;
    return cost * static_cast<double>(round_up(rows, panels.planned_rows)) * static_cast<double>(round_up(columns, kernels().width));
  };
  const double share = tiles(g.oc, g.c) / tiles(g.c, g.oc);
  return share < 1 || (g.c < g.oc && (g.taps() == 1 ? share <= kWaste : share <= 1 && g.c <= kMostChannels));
}

// Output rows (pixels, where copied) of a run: what splits divide.
int64_t ColumnsConvolution::units(int64_t n) const {
  const ConvGeometry& g = geometry_;
  return g.batch.of(n) * g.d.out * g.h.out * (patches_ == Patches::copied ? g.w.out : 1);
}

// Pixels are split first: then x and dy are read once for all taps, and adding up the partial sums is cheap against the work on so many pixels.
ColumnsConvolution::Cuts ColumnsConvolution::cut(int64_t chunks, int64_t units) const {
  const ConvGeometry& g = geometry_;
  const bool copied = patches_ == Patches::copied;
  const int64_t whole_parts = copied ? g.d.kernel * g.h.kernel : g.taps() * g.groups;
  const int64_t pixels = copied ? units : units * g.w.out;
  Cuts cuts;
  cuts.splits = std::clamp(std::min({chunks, units, pixels / kSplitPixels, kPartialFloats / g.weights()}), int64_t{1}, kMostSplits);
  const int64_t rest = divide_up(chunks, cuts.splits);
  const auto range = [&](int64_t tile) {
    return round_up(divide_up(rows_, copied ? 1 : std::clamp(rest / whole_parts, int64_t{1}, divide_up(rows_, tile))), tile);
  };
  cuts.planned_range = range(panels_.planned_rows);
  cuts.range = range(panels_.rows);
  cuts.ranges = divide_up(rows_, cuts.range);
  cuts.parts = whole_parts * cuts.ranges;
  cuts.part_chunks = std::min(cuts.parts, rest);
  return cuts;
}

int64_t ColumnsConvolution::scratch_floats(int64_t n) const {
  const int64_t splits = cut(chunks_for(geometry_.work(n)), units(n)).splits;
  return (splits - (turned_ ? 0 : 1)) * geometry_.weights() + (splits - 1) * geometry_.oc;
}

int64_t ColumnsConvolution::block_rows(const Cuts& cuts) const {
  const ConvGeometry& g = geometry_;
  const int64_t floats = turned_ ? g.c * g.w.stride + std::min(g.oc, cuts.planned_range)
                                 : std::min(g.group_c(), cuts.planned_range) * g.w.stride + g.group_oc();
  const int64_t pixels = std::clamp(kBlockFloats / floats, kBlockPixelsLeast, kBlockPixelsMost);
  return std::clamp(pixels / g.w.out, int64_t{1}, kBlockRowsMost);
}

void ColumnsConvolution::run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const {
  const ConvGeometry& g = geometry_;
  const Cuts cuts = cut(chunks_for(g.work(n)), units(n));
  const bool copied = patches_ == Patches::copied;
  const int64_t patch = divide_up(cuts.parts, cuts.part_chunks) * g.w.kernel * g.group_c();  // of a copied pixel, at most
  const int64_t block = copied ? std::clamp(kBlockFloats / patch, int64_t{16}, kBlockPixelsLeast) : block_rows(cuts);
  const int64_t list_floats = round_up(block * static_cast<int64_t>(sizeof(GemmColsRun) / sizeof(float)), 16);
  const int64_t memory_floats = copied ? block * patch : list_floats + (packs() ? packed_floats(block) : 0);
  float* const total_parts = scratch + (cuts.splits - (turned_ ? 0 : 1)) * g.weights();
  parallel_with_scratch(cuts.splits * cuts.part_chunks, round_up(memory_floats, 16) + g.oc, [&](int64_t chunk, float* memory) {
    const int64_t split = chunk / cuts.part_chunks, part = chunk % cuts.part_chunks;
    const int64_t first = split * units(n) / cuts.splits, last = (split + 1) * units(n) / cuts.splits;
    const int64_t first_part = part * cuts.parts / cuts.part_chunks, last_part = (part + 1) * cuts.parts / cuts.part_chunks;
    float* sums = turned_ ? scratch + split * g.weights() : split == 0 ? dw : scratch + (split - 1) * g.weights();
    float* const totals = db == nullptr ? nullptr : split == 0 ? db : total_parts + (split - 1) * g.oc;
    const Total total{totals, memory + round_up(memory_floats, 16)};
    if (copied) {
      add_copied(x, dy, {first, last, block}, first_part, last_part, memory, sums, total);
    } else {
      add_indirect(cuts, x, dy, {first, last, block}, first_part, last_part, memory, packs() ? memory + list_floats : nullptr, sums, total);
    }
  });
  if (db != nullptr) add_parts(total_parts, cuts.splits - 1, g.oc, db);
  if (turned_) return turn_back(cuts.splits, scratch, dw);
  add_parts(scratch, cuts.splits - 1, g.weights(), dw);
}

// Adds the sums of channels first .. last-1 of a block of dy to those of its split, which the first block begins: while these are in the cache, to which the
// products have brought them.
void ColumnsConvolution::add_total(const Total& total, const float* dy, int64_t first, int64_t last, int64_t pixels, bool accumulate) const {
  if (total.sums == nullptr) return;
  kernels().column_sums(dy + first, pixels, last - first, geometry_.oc, accumulate ? total.block : total.sums + first);
  if (accumulate) kernels().axpy(1.0f, total.block, total.sums + first, last - first);
}

// dw[tap][c][oc] from the sums of the splits, which are [tap][oc][c].
void ColumnsConvolution::turn_back(int64_t splits, float* sums, float* dw) const {
  const ConvGeometry& g = geometry_;
  constexpr int64_t kTogether = 64;  // channels of dy: a piece of the sums that stays near from the additions to the transposition
  const int64_t pieces = divide_up(g.oc, kTogether);
  parallel_blocks(g.taps() * pieces, std::max<int64_t>(1, kElementGrain / 4 / (kTogether * g.c)), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t tap = item / pieces, first = item % pieces * kTogether, count = std::min(kTogether, g.oc - first);
      float* piece = sums + (tap * g.oc + first) * g.c;
      for (int64_t split = 1; split < splits; ++split) kernels().axpy(1.0f, piece + split * g.weights(), piece, count * g.c);
      kernels().pack_transposed(piece, g.c, g.c, count, count, dw + tap * g.c * g.oc + first, g.oc);
    }
  });
}

// Narrow panels of dy are copied, once for all taps and channels: a line or two from each distant row would have every tile fetch them from L2 again.
bool ColumnsConvolution::packs() const {
  constexpr int64_t kNarrow = 32;
  return !turned_ && panels_.count > 1 && panels_.width < kNarrow && geometry_.taps() > 1;
}

int64_t ColumnsConvolution::packed_floats(int64_t rows) const { return geometry_.groups * panels_.count * rows * geometry_.w.out * panels_.width; }

void ColumnsConvolution::pack(const float* dy, int64_t pixels, float* packed) const {
  const ConvGeometry& g = geometry_;
  for (int64_t unit = 0; unit < g.groups * panels_.count; ++unit) {
    const int64_t panel = unit % panels_.count, column = unit / panels_.count * g.group_oc() + panels_.first(panel);
    kernels().pack_rows(dy + column, g.oc, pixels, panels_.columns_of(panel), panels_.padded_of(panel), packed + unit * pixels * panels_.width, panels_.width);
  }
}

// The stretches of output rows first_row .. last_row-1 (over all images) whose tap lies inside the input. `dy` is that of first_row, its pixels dy_step apart.
int64_t ColumnsConvolution::list_runs(int64_t tap, const float* x, const float* dy, int64_t dy_step, int64_t first_row, int64_t last_row,
                                      GemmColsRun* runs) const {
  const ConvGeometry& g = geometry_;
  const int64_t kw = tap % g.w.kernel, kh = tap / g.w.kernel % g.h.kernel, kd = tap / g.w.kernel / g.h.kernel;
  const int64_t shift = kw * g.w.dilation - g.w.before;  // of input against output · stride
  const int64_t first = shift >= 0 ? 0 : divide_up(-shift, g.w.stride);
  const int64_t last = shift >= g.w.in ? 0 : std::min(g.w.out, divide_up(g.w.in - shift, g.w.stride));
  if (first >= last) return 0;
  const int64_t x_step = g.w.stride * g.c;
  int64_t count = 0;
  for (int64_t row = first_row; row < last_row; ++row) {
    const int64_t n = row / (g.d.out * g.h.out);
    const int64_t d = g.d.source(row / g.h.out % g.d.out, kd), h = g.h.source(row % g.h.out, kh);
    if (d < 0 || d >= g.d.in || h < 0 || h >= g.h.in) continue;
    const float* from = x + (((n * g.d.in + d) * g.h.in + h) * g.w.in + first * g.w.stride + shift) * g.c;
    const float* to = dy + ((row - first_row) * g.w.out + first) * dy_step;
    const GemmColsRun run = turned_ ? GemmColsRun{to, from, last - first} : GemmColsRun{from, to, last - first};
    GemmColsRun* before = count > 0 ? &runs[count - 1] : nullptr;
    const int64_t a_step = turned_ ? dy_step : x_step, b_step = turned_ ? x_step : dy_step;
    if (before != nullptr && run.a == before->a + before->length * a_step && run.b == before->b + before->length * b_step) {
      before->length += run.length;
    } else {
      runs[count++] = run;
    }
  }
  return count;
}

// What the next block reads, where that is one stretch of x and one of dy, and both blocks stay in L2: 1 x 1 convolutions are up to 7 % (AVX-512) and 11 %
// (AVX2) faster so, others a little slower.
Ahead ColumnsConvolution::look_ahead(const float* x, const float* dy, int64_t first_row, int64_t last_row) const {
  const ConvGeometry& g = geometry_;
  const int64_t first = first_row * g.w.out, pixels = (last_row - first_row) * g.w.out;
  Ahead ahead;
  if (g.taps() > 1 || g.in_pixels() != g.out_pixels() || pixels * (g.c + g.oc) > kAheadFloats) return ahead;
  ahead.add(dy + first * g.oc, pixels * g.oc);
  ahead.add(x + first * g.c, pixels * g.c);
  return ahead;
}

void ColumnsConvolution::add_indirect(const Cuts& cuts, const float* x, const float* dy, Stretch rows, int64_t first_part, int64_t last_part,
                                      float* memory, float* packed, float* dw, const Total& total) const {
  const KernelTable& table = kernels();
  const ConvGeometry& g = geometry_;
  GemmColsRun* runs = reinterpret_cast<GemmColsRun*>(memory);
  const int64_t x_step = g.w.stride * g.c, dy_step = packed != nullptr ? panels_.width : g.oc;  // between pixels
  GemmColsArgs args{};
  args.runs = runs;
  args.lda = turned_ ? dy_step : x_step;
  args.ldb = turned_ ? x_step : dy_step;
  args.ldc = turned_ ? g.c : g.oc;
  for (int64_t row = rows.first; row < rows.last; row += rows.block) {
    const int64_t end = std::min(row + rows.block, rows.last), pixels = (end - row) * g.w.out;
    const float* block = dy + row * g.w.out * g.oc;
    if (packed != nullptr) pack(block, pixels, packed);
    args.accumulate = row > rows.first;
    const Ahead ahead = look_ahead(x, dy, end, std::min(end + rows.block, rows.last));  // a share with each tile
    const int64_t tiles = (last_part - first_part) * panels_.count * divide_up(std::min(cuts.range, rows_), panels_.rows);
    const float* lines[kLinesMost];
    const int64_t line_count = std::min(divide_up(ahead.floats(), tiles * kLine), kLinesMost);
    args.next = lines;
    int64_t tile = 0, listed = -1;
    for (int64_t part = first_part; part < last_part; ++part) {
      const int64_t range = part % cuts.ranges, group = part / cuts.ranges % g.groups, tap = part / cuts.ranges / g.groups;
      if (tap != listed) args.run_count = list_runs(tap, x, packed != nullptr ? packed : block, dy_step, row, end, runs);
      listed = tap;
      const int64_t last_row = std::min((range + 1) * cuts.range, rows_);
      const bool adds = args.run_count > 0 || !args.accumulate;  // or has to begin the sums with zeros
      for (int64_t panel = 0; adds && panel < panels_.count; ++panel) {
        const int64_t column = group * panels_.columns + panels_.first(panel);
        args.b_offset = packed != nullptr ? (group * panels_.count + panel) * pixels * panels_.width : column;
        args.vectors = panels_.vectors_of(panel);
        args.columns = panels_.columns_of(panel);
        for (int64_t i = range * cuts.range; i < last_row; i += panels_.rows) {
          args.a_offset = group * rows_ + i;
          args.c = dw + (tap * rows_ + i) * args.ldc + column;
          args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, last_row - i));
          const float* const next = ahead.share(tile++, tiles);
          args.next_lines = next == nullptr ? 0 : line_count;
          for (int64_t line = 0; line < args.next_lines; ++line) lines[line] = next + line * kLine;
          table.gemm_cols(args);
        }
      }
      // Each part those channels of dy that it has read. Where they are columns of the product, every part has read all.
      if (turned_ && tap == 0) add_total(total, block, range * cuts.range, last_row, pixels, args.accumulate);
    }
    if (!turned_ && first_part == 0) add_total(total, block, 0, g.oc, pixels, args.accumulate);
  }
}

void ColumnsConvolution::add_copied(const float* x, const float* dy, Stretch pixels, int64_t first_part, int64_t last_part, float* memory,
                                    float* dw, const Total& total) const {
  const KernelTable& table = kernels();
  const ConvGeometry& g = geometry_;
  const int64_t row_floats = g.w.kernel * g.group_c(), patch = (last_part - first_part) * row_floats;
  GemmColsArgs args{};
  GemmColsRun run{};
  args.runs = &run;
  args.run_count = 1;
  args.lda = patch;
  args.ldb = args.ldc = g.oc;
  for (int64_t pixel = pixels.first; pixel < pixels.last; pixel += pixels.block) {
    args.accumulate = pixel > pixels.first;
    const int64_t end = std::min(pixel + pixels.block, pixels.last);
    for (int64_t group = 0; group < g.groups; ++group) {
      copy_patches(g, x, group, pixel, end, first_part, last_part, memory);
      run = {memory, dy + pixel * g.oc, end - pixel};
      for (int64_t panel = 0; panel < panels_.count; ++panel) {
        args.b_offset = group * g.group_oc() + panels_.first(panel);
        args.vectors = panels_.vectors_of(panel);
        args.columns = panels_.columns_of(panel);
        for (int64_t i = 0; i < patch; i += panels_.rows) {
          args.a_offset = i;
          args.c = dw + (first_part * row_floats + i) * g.oc + args.b_offset;
          args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, patch - i));
          table.gemm_cols(args);
        }
      }
    }
    if (first_part == 0) add_total(total, dy + pixel * g.oc, 0, g.oc, end - pixel, args.accumulate);
  }
}

}  // namespace convlane
