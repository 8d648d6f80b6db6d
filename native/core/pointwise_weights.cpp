// SPDX-License-Identifier: MIT
#include "pointwise_weights.h"

#include <limits>

#include "partial_sums.h"
#include "pixel_walk.h"

namespace convlane {

namespace {

constexpr int64_t kBlock = 256;              // pixels that are packed together, at most: the sums of dw are visited once for so many
constexpr int64_t kSplitPixels = 784;        // fewest pixels of a split
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kPieceFloats = 128 << 10;  // of a piece of dw, about, at most: it stays in L2
constexpr int64_t kChunksOfThread = 3;       // enough to even out a busy core; each more packs more of x and dy twice
constexpr int64_t kNarrow = 32;              // columns of a panel: reading in place costs wider ones less
constexpr int64_t kFewest = 96;              // channels on either side from which on packing costs less than it saves;
constexpr int64_t kFewestWide = 168;         // with wide panels, their harmonic mean
constexpr int64_t kLine = 16;                // floats that are fetched at once
constexpr int64_t kLinesMost = 128;          // fetched with a tile

// Each output position reads one of the input.
bool reads_inside(const Axis& axis) { return axis.before == 0 && (axis.out - 1) * axis.stride < axis.in; }

// Output pixels, and where x has channel 0 of those that they read.
struct Source : PixelWalk {
  const ConvGeometry& g;

  Source(const ConvGeometry& geometry, int64_t pixel) : PixelWalk(geometry.d.out, geometry.h.out, geometry.w.out), g(geometry) { go(pixel); }
  int64_t at() const { return (((n * g.d.in + d * g.d.stride) * g.h.in + h * g.h.stride) * g.w.in + w * g.w.stride) * g.c; }
  int64_t step() const { return g.w.stride * g.c; }  // from one pixel of a row to the next
};

// Walks over the lines of the block after the one at hand, a few with each tile.
class Next {
 public:
  // The piece's first channels: of x, at pixel 0, and of dy, at the block's first pixel.
  Next(Source source, const float* x, int64_t x_lines, const float* dy, int64_t dy_lines, int64_t dy_step)
      : source_(source), x_(x), dy_(dy), at_(x + source.at()), x_lines_(x_lines), dy_lines_(dy_lines), dy_step_(dy_step), left_(x_lines) {}

  // Lists so many lines; the next time, those that follow.
  void list(int64_t count, const float** lines) {
    while (count > 0) {
      const int64_t together = std::min(count, left_);
      for (int64_t i = 0; i < together; ++i, at_ += kLine) *lines++ = at_;
      count -= together;
      left_ -= together;
      if (left_ == 0) turn();
    }
  }

 private:
  void turn() {
    of_x_ = !of_x_;
    if (of_x_) {
      source_.advance(1);
      dy_ += dy_step_;
      at_ = x_ + source_.at();
      left_ = x_lines_;
    } else {
      at_ = dy_;
      left_ = dy_lines_;
    }
  }

  Source source_;
  const float *x_, *dy_, *at_;
  int64_t x_lines_, dy_lines_, dy_step_;
  int64_t left_;  // lines of the pixel's channels of x, or of dy
  bool of_x_ = true;
};

}  // namespace

bool pointwise_weights_fit(const ConvGeometry& g) {
  const Panels panels(g.oc);
  if (g.taps() > 1 || g.groups > 1 || !reads_inside(g.d) || !reads_inside(g.h) || !reads_inside(g.w) || panels.count == 1) return false;
  return panels.width < kNarrow ? std::min(g.c, g.oc) >= kFewest : 2 * g.c * g.oc >= kFewestWide * (g.c + g.oc);
}

PointwiseWeights::PointwiseWeights(const ConvGeometry& geometry)
    : geometry_(geometry), panels_(geometry.oc), strips_(divide_up(geometry.c, panels_.rows)) {}

// Pixels first, the same on any number of threads: splits decide about the bits. Then dw, into pieces that do not, of the shape that packs the least more than
// once. There are more strips x panels than pieces.
PointwiseWeights::Cuts PointwiseWeights::cut(int64_t n) const {
  const ConvGeometry& g = geometry_;
  const int64_t chunks = chunks_for(g.work(n));
  const int64_t splits = std::max<int64_t>(1, std::min({chunks, pixels(n) / kSplitPixels, kPartialFloats / g.weights()}));
  const int64_t wanted = threads() == 1 ? 1 : std::min(chunks, kChunksOfThread * threads());
  const int64_t pieces = std::max(divide_up(wanted, splits), divide_up(g.weights(), kPieceFloats));
  Cuts best{splits, 1, panels_.count};
  int64_t least = std::numeric_limits<int64_t>::max();
  for (int64_t strip_ranges = 1; strip_ranges <= std::min(pieces, strips_); ++strip_ranges) {
    const int64_t panel_ranges = divide_up(pieces, strip_ranges);
    const int64_t packed = strip_ranges * g.oc + panel_ranges * g.c;  // floats of each pixel
    if (panel_ranges > panels_.count || packed >= least) continue;
    least = packed;
    best = {splits, strip_ranges, panel_ranges};
  }
  return best;
}

int64_t PointwiseWeights::scratch_floats(int64_t n) const { return (cut(n).splits - 1) * (geometry_.weights() + geometry_.oc); }

void PointwiseWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const {
  const ConvGeometry& g = geometry_;
  const Cuts cuts = cut(n);
  const int64_t pieces = cuts.strip_ranges * cuts.panel_ranges;
  const int64_t packed = divide_up(strips_, cuts.strip_ranges) * panels_.rows + divide_up(panels_.count, cuts.panel_ranges) * panels_.width;
  const int64_t memory_floats = kBlock * packed + kLine + g.oc;
  float* const totals = scratch + (cuts.splits - 1) * g.weights();
  parallel_with_scratch(cuts.splits * pieces, memory_floats, [&](int64_t chunk, float* memory) {
    const int64_t split = chunk / pieces, strip_range = chunk % pieces / cuts.panel_ranges, panel_range = chunk % cuts.panel_ranges;
    const Piece piece{strip_range * strips_ / cuts.strip_ranges, (strip_range + 1) * strips_ / cuts.strip_ranges, panel_range * panels_.count / cuts.panel_ranges,
                      (panel_range + 1) * panels_.count / cuts.panel_ranges};
    float* const sums = split == 0 ? dw : scratch + (split - 1) * g.weights();
    float* const total = db == nullptr || strip_range > 0 ? nullptr : split == 0 ? db : totals + (split - 1) * g.oc;
    add_piece(piece, x, dy, split * pixels(n) / cuts.splits, (split + 1) * pixels(n) / cuts.splits, memory, sums, total);
  });
  add_parts(scratch, cuts.splits - 1, g.weights(), dw);
  if (db != nullptr) add_parts(totals, cuts.splits - 1, g.oc, db);
}

// The piece's share of pixels first .. last-1, a block at a time. Of the block after it, a share is fetched with each tile.
void PointwiseWeights::add_piece(const Piece& piece, const float* x, const float* dy, int64_t first, int64_t last, float* memory, float* dw, float* db) const {
  const ConvGeometry& g = geometry_;
  const KernelTable& table = kernels();
  const int64_t first_c = piece.first_strip * panels_.rows, last_c = first_c + channels(piece), first_oc = panels_.first(piece.first_panel);
  const int64_t x_lines = divide_up(channels(piece), kLine), dy_lines = divide_up(columns(piece), kLine);
  const int64_t tiles = (piece.last_strip - piece.first_strip) * (piece.last_panel - piece.first_panel);
  const int64_t blocks = divide_up(last - first, kBlock);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = first + block * (last - first) / blocks, end = first + (block + 1) * (last - first) / blocks, count = end - begin;
    const int64_t line_count = block + 1 < blocks ? count * (x_lines + dy_lines) : 0;
    float* const strips = memory;
    float* const packed = strips + round_up(count * (piece.last_strip - piece.first_strip) * panels_.rows, kLine);
    pack_block(piece, x, dy, begin, count, strips, packed);
    GemmColsRun run{nullptr, nullptr, count};
    GemmColsArgs args{};
    args.runs = &run;
    args.run_count = 1;
    args.lda = panels_.rows;
    args.ldb = panels_.width;
    args.ldc = g.oc;
    args.accumulate = block > 0;
    int64_t tile = 0;
    const float* lines[kLinesMost];
    args.next = lines;
    Next next(Source(g, end), x + first_c, x_lines, dy + end * g.oc + first_oc, dy_lines, g.oc);
    for (int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
      args.vectors = panels_.vectors_of(panel);
      args.columns = panels_.columns_of(panel);
      run.a = strips;
      run.b = packed + (panel - piece.first_panel) * count * panels_.width;
      for (int64_t c = first_c; c < last_c; c += panels_.rows, ++tile, run.a += count * panels_.rows) {
        args.next_lines = std::min((tile + 1) * line_count / tiles - tile * line_count / tiles, kLinesMost);
        next.list(args.next_lines, lines);
        args.c = dw + c * g.oc + panels_.first(panel);
        args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, last_c - c));
        table.gemm_cols(args);
      }
    }
    if (db == nullptr) continue;
    float* const sums = block == 0 ? db + first_oc : packed;  // which has been read
    table.column_sums(dy + begin * g.oc + first_oc, count, columns(piece), g.oc, sums);
    if (block > 0) table.axpy(1.0f, sums, db + first_oc, columns(piece));
  }
}

// Strips of x, [strip][pixel][row of the tile], and panels of dy, [panel][pixel][column].
void PointwiseWeights::pack_block(const Piece& piece, const float* x, const float* dy, int64_t first, int64_t count, float* strips, float* panels) const {
  const ConvGeometry& g = geometry_;
  const KernelTable& table = kernels();
  const int64_t first_c = piece.first_strip * panels_.rows;
  Source source(g, first);
  for (int64_t pixel = 0, together; pixel < count; pixel += together, source.advance(together)) {
    together = std::min(count - pixel, source.together());
    table.pack_strips(x + source.at() + first_c, source.step(), together, channels(piece), panels_.rows, strips + pixel * panels_.rows, count * panels_.rows);
  }
  for (int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
    table.pack_rows(dy + first * g.oc + panels_.first(panel), g.oc, count, panels_.columns_of(panel), panels_.padded_of(panel),
                    panels + (panel - piece.first_panel) * count * panels_.width, panels_.width);
  }
}

}  // namespace convlane
