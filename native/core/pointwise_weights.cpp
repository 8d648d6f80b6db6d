// SPDX-License-Identifier: MIT
#include "pointwise_weights.h"

#include <cstring>
#include <limits>

#include "partial_sums.h"
#include "pixel_walk.h"

namespace convlane {

namespace {

constexpr int64_t kBlock = 256;              // pixels that are packed together, at most: the sums of dw are visited once for so many
constexpr int64_t kFirstBlock = 64;          // of the first one of many, while nothing is multiplied; the next have up to twice as many as the one before
constexpr int64_t kMany = 4 * kBlock;        // pixels; fewer are near, and each block more costs more
constexpr int64_t kSplitPixels = 1568;       // fewest pixels of a split
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kPieceFloats = 128 << 10;  // of a piece of dw, about, at most: it stays in L2
constexpr int64_t kChunksOfThread = 3;       // enough to even out a busy core; each more packs more of x and dy twice
constexpr int64_t kFewest = 96;              // channels on either side from which on packing costs less than it saves: panels are strip_vectors wide then
constexpr int64_t kLine = 16;                // floats of a line of the caches
constexpr int64_t kTogether = 32;            // strips that are packed at a time
constexpr int64_t kAheadCopies = 32;         // from what is packed to what is fetched

// Each output position reads one of the input.
bool reads_inside(const Axis& axis) { return axis.before == 0 && (axis.out - 1) * axis.stride < axis.in; }

// Output pixels, and where x has channel 0 of those that they read, or dy theirs.
struct Source : PixelWalk {
  int64_t step, row, depth, image;  // floats from one pixel of a row to the next, from row to row and so on

  int64_t at() const { return n * image + d * depth + h * row + w * step; }
  Source from(int64_t pixel) const {
    Source source = *this;
    source.go(pixel);
    return source;
  }
};

// Pixels that all lie at one distance make one row.
Source one_row(int64_t pixels, int64_t channels) { return {{1, 1, pixels}, channels, 0, 0, 0}; }

Source source_of(const ConvGeometry& g, int64_t n) {
  if (g.in_pixels() == g.out_pixels()) return one_row(n * g.in_pixels(), g.c);
  const int64_t row = g.w.in * g.c;
  return {{g.d.out, g.h.out, g.w.out}, g.w.stride * g.c, g.h.stride * row, g.d.stride * g.h.in * row, g.d.in * g.h.in * row};
}

// One side of a block that is packed while the one before it is multiplied: channels of x in strips, a few at a time through all pixels, as each is a place of
// its own to write to; or channels of dy in panels, one at a time, in pieces. The last pixel is left out: copies read and write a little more than they should.
class Copies {
 public:
  // `from`: the first channel of the block's first pixel at `source`. Width: of a strip or panel; piece: of a copy.
  Copies(Source source, const float* from, int64_t channels, int64_t width, int64_t piece, int64_t pixels, float* to)
      : first_(source), source_(source), from_(from), to_(to), channels_(channels), width_(width), pixels_(std::max<int64_t>(0, pixels - 1)),
        distance_(pixels * width), group_(piece < width ? 1 : kTogether), from_step_(std::min(piece, width)), to_step_(piece < width ? piece : distance_) {
    left_ = pixels_ * (channels / width * divide_up(width, from_step_) + divide_up(channels % width, from_step_));
    begin();
  }

  int64_t left() const { return left_; }

  // Up to so many copies; the next time, those that follow.
  GemmCopies take(int64_t most) {
    const int64_t pixels = std::min(source_.together(), pixels_ - pixel_), count = std::min({most, left_, pixels * together_ - done_});
    if (count <= 0) return {};
    const int64_t back = together_ - 1;
    const GemmCopies copies{from_ + source_.at() + strip_ * width_ + done_ * from_step_, to_ + strip_ * distance_ + pixel_ * width_ + done_ * to_step_, from_step_,
                            to_step_, source_.step - back * from_step_, width_ - back * to_step_, together_, together_ - done_, count,
                            divide_up(kAheadCopies, together_) * source_.step};
    left_ -= count;
    const int64_t past = (done_ + count) / together_;
    done_ = (done_ + count) % together_;
    pixel_ += past;
    if (past > 0) source_.advance(past);
    if (pixel_ == pixels_) {
      strip_ += group_;
      begin();
    }
    return copies;
  }

 private:
  void begin() {
    source_ = first_;
    pixel_ = 0;
    together_ = divide_up(std::min(channels_ - strip_ * width_, group_ * width_), from_step_);
  }

  Source first_, source_;
  const float* from_;
  float* to_;
  int64_t channels_, width_, pixels_, distance_, group_, from_step_, to_step_, left_;
  // What comes next: of the group that begins with this strip and has so many copies of each pixel, so many of this pixel's are done.
  int64_t strip_ = 0, together_ = 0, pixel_ = 0, done_ = 0;
};

// Those that no tile has made.
void make(Copies& copies, int64_t piece) {
  while (copies.left() > 0) {
    GemmCopies c = copies.take(copies.left());
    for (; c.count > 0; --c.count) {
      std::memcpy(c.to, c.from, static_cast<size_t>(piece) * sizeof(float));
      const bool turns = --c.left == 0;
      c.from += turns ? c.from_turn : c.from_step;
      c.to += turns ? c.to_turn : c.to_step;
      if (turns) c.left = c.together;
    }
  }
}

}  // namespace

bool pointwise_weights_fit(const ConvGeometry& g) {
  return g.taps() == 1 && g.groups == 1 && reads_inside(g.d) && reads_inside(g.h) && reads_inside(g.w) && std::min(g.c, g.oc) >= kFewest;
}

PointwiseWeights::PointwiseWeights(const ConvGeometry& geometry)
    : geometry_(geometry), panels_(geometry.oc, kernels().strip_vectors), rows_(kernels().strip_rows), strips_(divide_up(geometry.c, rows_)) {}

// Pixels first, the same on any number of threads: splits decide about the bits. Then dw, into pieces that do not, of the shape that packs the least more than
// once.
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

// Of the largest block, and a line besides, so that its panels begin at one.
int64_t PointwiseWeights::block_floats(const Piece& piece) const {
  return round_up(kBlock * ((piece.last_strip - piece.first_strip) * rows_ + (piece.last_panel - piece.first_panel) * panels_.width), kLine) + kLine;
}

int64_t PointwiseWeights::scratch_floats(int64_t n) const { return (cut(n).splits - 1) * (geometry_.weights() + geometry_.oc); }

void PointwiseWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const {
  const ConvGeometry& g = geometry_;
  const Cuts cuts = cut(n);
  const int64_t pieces = cuts.strip_ranges * cuts.panel_ranges;
  const int64_t widest = block_floats({0, divide_up(strips_, cuts.strip_ranges), 0, divide_up(panels_.count, cuts.panel_ranges)});
  float* const totals = scratch + (cuts.splits - 1) * g.weights();
  parallel_with_scratch(cuts.splits * pieces, 2 * widest + panels_.width, [&](int64_t chunk, float* memory) {
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

// The piece's share of pixels first .. last-1, a block at a time. With each tile a share of the block after it is packed.
void PointwiseWeights::add_piece(const Piece& piece, const float* x, const float* dy, int64_t first, int64_t last, float* memory, float* dw, float* db) const {
  const ConvGeometry& g = geometry_;
  const KernelTable& table = kernels();
  const int64_t first_c = piece.first_strip * rows_, last_c = first_c + channels(piece), first_oc = panels_.first(piece.first_panel);
  const int64_t whole_tiles = channels(piece) / rows_ * (columns(piece) / panels_.width);
  const int64_t floats = block_floats(piece);
  const Source source = source_of(g, divide_up(last, g.out_pixels()));
  const auto block_at = [&](int64_t number, int64_t begin, int64_t most) {
    if (begin == last) return Block{};
    const int64_t left = last - begin, count = std::min(most, divide_up(left, divide_up(left, kBlock)));
    float* const strips = memory + number % 2 * floats;
    return Block{begin, count, strips, strips + round_up(count * (piece.last_strip - piece.first_strip) * rows_, kLine)};
  };
  float* const sums = memory + 2 * floats;  // of a panel of dy
  Block block = block_at(0, first, last - first > kMany ? kFirstBlock : kBlock);
  pack(piece, x, dy, block, 0);
  for (int64_t number = 0; block.count > 0; ++number) {
    const Block next = block_at(number + 1, block.first + block.count, 2 * block.count);
    GemmColsRun run{nullptr, nullptr, block.count};
    GemmColsArgs args{};
    args.runs = &run;
    args.run_count = 1;
    args.lda = rows_;
    args.ldb = panels_.width;
    args.ldc = g.oc;
    args.accumulate = number > 0;
    const int64_t piece_floats = round_up(rows_, table.width);
    Copies x_copies(source.from(next.first), x + first_c, channels(piece), rows_, piece_floats, next.count, next.strips);
    Copies dy_copies(one_row(last, g.oc).from(next.first), dy + first_oc, columns(piece), panels_.width, piece_floats, next.count, next.panels);
    int64_t tiles_left = whole_tiles;
    for (int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
      args.vectors = panels_.vectors_of(panel);
      args.columns = panels_.columns_of(panel);
      run.a = block.strips;
      run.b = block.panels + (panel - piece.first_panel) * block.count * panels_.width;
      for (int64_t c = first_c; c < last_c; c += rows_, run.a += block.count * rows_) {
        args.c = dw + c * g.oc + panels_.first(panel);
        args.m = static_cast<int32_t>(std::min<int64_t>(rows_, last_c - c));
        args.copies = {};
        if (args.m == rows_ && args.columns == panels_.width) {
          const int64_t most = std::min(divide_up(x_copies.left() + dy_copies.left(), tiles_left--), block.count);
          args.copies = x_copies.left() > 0 ? x_copies.take(most) : dy_copies.take(most);
        }
        table.gemm_cols(args);
      }
      if (db == nullptr) continue;
      float* const total = db + panels_.first(panel);
      table.column_sums(run.b, block.count, args.columns, panels_.width, number == 0 ? total : sums);
      if (number > 0) table.axpy(1.0f, sums, total, args.columns);
    }
    make(x_copies, piece_floats);
    make(dy_copies, piece_floats);
    if (next.count > 0) pack(piece, x, dy, next, next.count - 1);
    block = next;
  }
}

// Pixels from `begin` on of a block.
void PointwiseWeights::pack(const Piece& piece, const float* x, const float* dy, const Block& block, int64_t begin) const {
  const ConvGeometry& g = geometry_;
  const KernelTable& table = kernels();
  const int64_t first_c = piece.first_strip * rows_, first = block.first + begin;
  Source source = source_of(g, divide_up(first + block.count, g.out_pixels())).from(first);
  for (int64_t pixel = begin, together; pixel < block.count; pixel += together, source.advance(together)) {
    together = std::min(block.count - pixel, source.together());
    table.pack_strips(x + source.at() + first_c, source.step, together, channels(piece), rows_, block.strips + pixel * rows_,
                      block.count * rows_);
  }
  for (int64_t panel = piece.first_panel; panel < piece.last_panel; ++panel) {
    table.pack_rows(dy + first * g.oc + panels_.first(panel), g.oc, block.count - begin, panels_.columns_of(panel), panels_.padded_of(panel),
                    block.panels + ((panel - piece.first_panel) * block.count + begin) * panels_.width, panels_.width);
  }
}

}  // namespace convlane
