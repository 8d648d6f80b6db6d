// SPDX-License-Identifier: MIT
#include "rows_lists.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "stream.h"

namespace convlane {

namespace {

constexpr int64_t kBlockPixels = 256;        // rows of the product between two visits to a weight panel: their patches stay in L2
constexpr int64_t kBlockChunks = 64;         // blocks are smaller than that when there would be fewer of them
constexpr int64_t kNearPixels = 64;          // with weights up to kNearFloats blocks may be as small as these pixels before panels are divided, and each block is
                                             // listed, and its patches are fetched, once
constexpr int64_t kNearestFloats = 6 << 10;  // weights up to so many stay in L1,
constexpr int64_t kStripPanels = 16;         // and so many panels of them take each strip of pixels in turn
constexpr int64_t kStripPixels = 56;         // fewest of a block without lists, as many as fill tiles of 14 and of 8 rows, where there are two such blocks
constexpr int64_t kListPointers = 64 << 10;  // most row pointers of one block
constexpr int64_t kPatchFloats = 64 << 10;   // most copied floats of one block
constexpr double kAcrossPadding = 64;        // vectors of products with padding, of a pixel, from which on the same pixel of several images makes a better tile than
                                             // neighbours: its lists take 30 to 40 cycles a pixel to make, those of neighbours are moved from image to image
constexpr int64_t kStreamFloats = 9 << 19;   // of source and target: with as many the target isn't found in a cache of 32 MB by who reads it next
constexpr int64_t kFarFloats = 64 << 10;     // a target at least this large isn't in L2 when its turn comes
constexpr int64_t kAheadFloats = 1 << 20;    // a source at least this large comes from afar; one that several phases read was as fast
constexpr int64_t kFollowedFloats = 80;      // sequences of rows as short, of a tile of one vector, the hardware follows by itself
constexpr int64_t kAheadTiles = 2;           // rows of so many tiles further are fetched meanwhile

}  // namespace

int64_t RowsConvolution::Cuts::lists_floats(int32_t rows) const {
  const int64_t bytes = tiles * (static_cast<int64_t>(sizeof(Lists::Tile)) + runs * static_cast<int64_t>(sizeof(GemmRun)) +
                                 (runs + 1) * rows * static_cast<int64_t>(sizeof(float*)) + runs * rows * static_cast<int64_t>(sizeof(int32_t)));
  return divide_up(bytes, sizeof(float)) + tiles * rows * patch;
}

RowsConvolution::RowsConvolution(const ConvGeometry& geometry, Direction direction, Patches patches)
    : geometry_(geometry),
      direction_(direction),
      patches_(patches),
      d_(axis_of(geometry.d, direction)),
      h_(axis_of(geometry.h, direction)),
      w_(axis_of(geometry.w, direction)),
      source_c_(direction == Direction::forward ? geometry.c : geometry.oc),
      target_c_(direction == Direction::forward ? geometry.oc : geometry.c),
      depth_(source_c_ / geometry.groups),
      columns_(target_c_ / geometry.groups),
      panels_(columns_),
      mergeable_(geometry.groups == 1 && neighbours(w_)),
      padded_(padding_of_pixel() >= kAcrossPadding * kernels().width),
      pixelwise_(patches == Patches::indirect && pixelwise(d_) && pixelwise(h_) && pixelwise(w_)) {}

// Products on padding, of a pixel in the mean.
double RowsConvolution::padding_of_pixel() const {
  const double share = 1 - inside_share(d_) * inside_share(h_) * inside_share(w_);
  const double taps = static_cast<double>(d_.taps() * h_.taps() * w_.taps()) / static_cast<double>(d_.phases() * h_.phases() * w_.phases());
  return share * taps * static_cast<double>(depth_ * columns_);
}

// The same pixel of several images has its padding in common, and what a whole tile has as padding is left out: worth it where much is computed on padding.
bool RowsConvolution::across_images(int64_t n) const { return padded_ && n >= panels_.rows; }

RowsConvolution::Cuts RowsConvolution::cut(int64_t n) const {
  const int32_t m = panels_.rows;
  const int64_t phases = d_.phases() * h_.phases() * w_.phases();
  const int64_t pixels = n * d_.positions(0) * h_.positions(0) * w_.positions(0);
  const int64_t taps = d_.taps() * h_.taps() * w_.taps();
  const int64_t units = geometry_.groups * panels_.count;
  const int64_t chunks = chunks_for(geometry_.work(n));

  Cuts cuts;
  cuts.runs = patches_ == Patches::copied ? 1 : std::max<int64_t>(1, taps);
  cuts.patch = patches_ == Patches::copied ? taps * depth_ : 0;
  int64_t block = std::min(kBlockPixels, kListPointers / cuts.runs);
  if (cuts.patch > 0) block = std::min(block, kPatchFloats / cuts.patch);
  // Many panels and few pixels: cut over panels first, so that a chunk's weights stay near.
  const int64_t least = packed_floats() <= kNearFloats ? std::min(block, kNearPixels) : block;
  cuts.unit_chunks = std::clamp(divide_up(chunks, phases * divide_up(pixels, std::max<int64_t>(least, 1))), int64_t{1}, units);
  block = std::min(block, divide_up(pixels * phases * cuts.unit_chunks, chunks < kChunks ? chunks : kBlockChunks));
  if (pixelwise_ && pixels >= 2 * kStripPixels) block = std::max(block, kStripPixels);
  cuts.block = round_up(std::max<int64_t>(block, 1), m);
  // Whole images, so that lists can be moved from block to block.
  const int64_t image = d_.positions(0) * h_.positions(0) * w_.positions(0), images = image * m / std::gcd(image, static_cast<int64_t>(m));
  const bool moves = patches_ == Patches::indirect && !pixelwise_ && !across_images(n) && images <= 2 * cuts.block && phases * divide_up(pixels, images) >= kChunks;
  if (moves) cuts.block = std::max(images, cuts.block / images * images);
  cuts.blocks_of_phase = divide_up(pixels, cuts.block);
  cuts.blocks = phases * cuts.blocks_of_phase;
  cuts.block_chunks = chunks < kChunks ? std::min(cuts.blocks, divide_up(chunks, cuts.unit_chunks)) : moves ? std::min(cuts.blocks, kChunks) : cuts.blocks;
  cuts.tiles = cuts.block / m;
  return cuts;
}

// Whole lines of results, each written once, that no activation reads again.
bool RowsConvolution::streams(int64_t n, Activation activation, const float* target) const {
  constexpr int64_t kLine = 64;
  const int64_t line = kLine / static_cast<int64_t>(sizeof(float)), floats = n * (geometry_.in_pixels() * geometry_.c + geometry_.out_pixels() * geometry_.oc);
  return floats >= of_last_cache(kStreamFloats) && reinterpret_cast<uintptr_t>(target) % kLine == 0 && columns_ % line == 0 && columns_ % kernels().width == 0 &&
         (activation == Activation::linear || activation == Activation::relu);
}

bool RowsConvolution::taps_in(int64_t phase) const {
  const int64_t w = phase % w_.phases(), h = phase / w_.phases() % h_.phases(), d = phase / w_.phases() / h_.phases();
  return d_.taps_of(d) > 0 && h_.taps_of(h) > 0 && w_.taps_of(w) > 0;
}

// Zeros wherever no tap leads to: in the gradient of a convolution whose stride exceeds its window, most of the image.
void RowsConvolution::clear_without_taps(int64_t n, float* target, bool stream) const {
  const int64_t line = w_.target * target_c_;
  auto clear = [stream](float* to, int64_t count) {
    if (stream) {
      kernels().stream_zeros(to, count);
    } else {
      std::memset(to, 0, static_cast<size_t>(count) * sizeof(float));
    }
  };
  parallel_blocks(n * d_.target * h_.target, std::max<int64_t>(1, kElementGrain / line), [&](int64_t begin, int64_t end) {
    for (int64_t number = begin; number < end; ++number) {
      float* to = target + number * line;
      if (d_.taps_of(number / h_.target % d_.target % d_.target_stride) == 0 || h_.taps_of(number % h_.target % h_.target_stride) == 0) {
        clear(to, line);
        continue;
      }
      for (int64_t phase = 0; phase < w_.phases(); ++phase) {
        if (w_.taps_of(phase) > 0) continue;
        for (int64_t w = phase; w < w_.target; w += w_.target_stride) clear(to + w * target_c_, target_c_);
      }
    }
    if (stream) kernels().stream_fence();
  });
}

void RowsConvolution::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch,
                          const float* prepared) const {
  n = geometry_.batch.of(n);
  const int64_t zero_floats = w_.taps() * depth_;
  float* zeros = scratch;
  float* packed = scratch + round_up(zero_floats, 16);
  std::fill(zeros, zeros + zero_floats, 0.0f);
  const bool far = n * d_.target * h_.target * w_.target * target_c_ >= kFarFloats;
  const bool ahead = (direction_ == Direction::forward || pixelwise_) && n * d_.source * h_.source * w_.source * source_c_ >= kAheadFloats;
  const Call call{n, source, bias, activation, target, zeros, view(n, weights, prepared, packed), across_images(n), streams(n, activation, target), far, ahead};
  const Cuts cuts = cut(n);
  const int64_t units = geometry_.groups * panels_.count;
  const bool zeros_only = bias == nullptr && activation == Activation::linear;  // where a phase has no taps
  if (zeros_only && (d_.lacks_taps() || h_.lacks_taps() || w_.lacks_taps())) clear_without_taps(n, target, call.stream);
  // Chunks of the same panels follow each other: rows of pixels are fetched ahead, panels are not, and few pixels have more weights than stay in L2.
  parallel_with_scratch(cuts.block_chunks * cuts.unit_chunks, cuts.lists_floats(panels_.rows), [&](int64_t chunk, float* memory) {
    Lists lists(memory, cuts, panels_.rows);
    const int64_t unit_chunk = chunk / cuts.block_chunks, block_chunk = chunk % cuts.block_chunks;
    const int64_t first_unit = unit_chunk * units / cuts.unit_chunks, last_unit = (unit_chunk + 1) * units / cuts.unit_chunks;
    const int64_t last_block = (block_chunk + 1) * cuts.blocks / cuts.block_chunks;
    for (int64_t block = block_chunk * cuts.blocks / cuts.block_chunks; block < last_block; ++block) {
      if (zeros_only && !taps_in(block / cuts.blocks_of_phase)) continue;
      const int64_t begin = block % cuts.blocks_of_phase * cuts.block;
      run_block(call, block / cuts.blocks_of_phase, begin, begin + cuts.block, first_unit, last_unit, lists);
    }
    if (call.stream) kernels().stream_fence();
  });
}

void RowsConvolution::run_block(const Call& call, int64_t phase, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit, Lists& lists) const {
  const KernelTable& table = kernels();
  RowsCursor cursor(d_, h_, w_, call.n, call.across, phase);
  const bool point = patches_ == Patches::indirect && cursor.point;
  end = std::min(end, cursor.pixels());
  if (begin >= end) return;
  if (pixelwise_ && end - begin >= panels_.tallest) return run_strips(call, cursor, begin, end, first_unit, last_unit);
  if (!pixelwise_ && point && by_lines(cursor, begin, end)) return run_lines(call, cursor, begin, end, first_unit, last_unit);
  for (int64_t unit = first_unit; unit < last_unit; ++unit) {
    const int64_t group = unit / panels_.count, panel = unit % panels_.count;
    if ((unit == first_unit || panel == 0) && !move_lists(call, cursor, phase, begin, end, group, lists)) {
      lists.clear();
      lists.phase = phase;
      lists.begin = begin;
      lists.group = group;
      lists.panel = 0;
      cursor.go(begin);
      for (int64_t pixel = begin; pixel < end; pixel += panels_.rows) {
        const int32_t m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, end - pixel));
        if (point) {
          list_points(call, cursor, m, group, lists);
        } else {
          list_tile(call, cursor, m, group, lists);
        }
      }
    }
    const int64_t step = (panel - lists.panel) * call.weights.panel;
    if (step != 0) {
      for (int64_t r = 0; r < lists.total_runs; ++r) lists.runs[r].b += step;
    }
    lists.panel = panel;
    GemmRowsArgs args{};
    args.ldb = call.weights.ldb;
    const int64_t column = group * columns_ + panels_.first(panel);
    args.rows_offset = lists.rows_offset;
    args.out_offset = lists.out_offset + column;
    args.bias = call.bias == nullptr ? nullptr : call.bias + column;
    args.vectors = panels_.vectors_of(panel);
    args.columns = panels_.columns_of(panel);
    args.activation = call.activation;
    args.stream = call.stream;
    args.fetch_out = call.claims();
    for (int64_t t = 0; t < lists.tile_count; ++t) {
      const Lists::Tile& tile = lists.tiles[t];
      args.rows = tile.rows;
      args.runs = tile.runs;
      args.run_count = tile.run_count;
      args.out = tile.out;
      args.m = tile.m;
      const Lists::Tile* later = (point || call.ahead) && unit == first_unit && t + kAheadTiles < lists.tile_count ? &tile + kAheadTiles : nullptr;
      args.ahead = later != nullptr && later->m == tile.m && later->run_count == tile.run_count ? later->rows : nullptr;
      table.gemm_rows(args);
    }
  }
}

// Whether the pixels are whole rows of the image that fill their tiles, or all but.
bool RowsConvolution::by_lines(const RowsCursor& cursor, int64_t begin, int64_t end) const {
  constexpr int64_t kFilled = 20;  // of 21 rows of the tiles
  const int64_t size = cursor.size_w;
  return !cursor.across && begin % size == 0 && end % size == 0 && size >= panels_.tallest && kFilled * round_up(size, panels_.rows) <= (kFilled + 1) * size;
}

// What panels ask of the kernel but the rows: those of a phase with one tap.
GemmPanelArgs RowsConvolution::panel_args(const Call& call, const RowsCursor& cursor, int64_t unit) const {
  const int64_t group = unit / panels_.count, panel = unit % panels_.count;
  const int64_t column = group * columns_ + panels_.first(panel);
  const Point point = point_of(call, cursor, group);
  GemmPanelArgs args{};
  args.a = point.from;
  args.lda = w_.source_stride * source_c_;
  args.b = call.weights.data + group * call.weights.group + panel * call.weights.panel + tap_of(cursor) * call.weights.tap;
  args.ldb = call.weights.ldb;
  args.k = depth_;
  args.c = point.out + column;
  args.ldc = w_.target_stride * target_c_;
  args.bias = call.bias == nullptr ? nullptr : call.bias + column;
  args.vectors = panels_.vectors_of(panel);
  args.columns = panels_.columns_of(panel);
  args.activation = call.activation;
  args.stream = call.stream;
  // A tile of one vector loads with each multiply-add already: fetching takes it 5 to 7 %. Without, 96 -> 16 from beyond the caches takes 18 % longer.
  args.fetch = depth_ > kFollowedFloats && call.ahead;
  return args;
}

// Pixels begin .. end - 1 of a phase with one tap, without lists: rows of the image are taken one by one.
void RowsConvolution::run_lines(const Call& call, RowsCursor& cursor, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit) const {
  for (int64_t unit = first_unit; unit < last_unit; ++unit) {
    cursor.go(begin);
    for (int64_t pixel = begin, rows; pixel < end; pixel += rows) {
      GemmPanelArgs args = panel_args(call, cursor, unit);
      args.rows = rows = cursor.together();
      args.claimed_rows = call.claims() ? rows : 0;
      kernels().gemm_panel(args);
      cursor.advance(rows);
    }
  }
}

// Pixels begin .. end - 1, each from the same one of the source. With weights that stay in the first cache, all panels take as few pixels as fill their tiles
// before the next ones: what is written then lies in the order of memory, 5 to 14 % faster where a panel's part of a pixel is a few lines only.
void RowsConvolution::run_strips(const Call& call, RowsCursor& cursor, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit) const {
  GemmPanelArgs panels[kStripPanels];
  const int64_t together = packed_floats() <= kNearestFloats ? kStripPanels : 1;
  const int64_t strip_rows = std::lcm(kernels().rows_of[panels_.vectors_of(0)], panels_.tallest);
  cursor.go(begin);
  for (int64_t unit = first_unit; unit < last_unit; unit += together) {
    const int64_t count = std::min(together, last_unit - unit);
    for (int64_t i = 0; i < count; ++i) panels[i] = panel_args(call, cursor, unit + i);
    const int64_t strip = count == 1 ? end - begin : strip_rows;
    for (int64_t pixel = begin, rows; pixel < end; pixel += rows) {
      rows = end - pixel < 2 * strip ? end - pixel : strip;
      for (int64_t i = 0; i < count; ++i) {
        GemmPanelArgs& args = panels[i];
        args.rows = rows;
        args.claimed_rows = call.claims() ? end - pixel : 0;
        kernels().gemm_panel(args);
        args.a += rows * args.lda;
        args.c += rows * args.ldc;
      }
    }
  }
}

// Of a phase with one tap, the number of this.
int64_t RowsConvolution::tap_of(const RowsCursor& cursor) const {
  return (d_.first[cursor.phase_d] * h_.taps() + h_.first[cursor.phase_h]) * w_.taps() + w_.first[cursor.phase_w];
}

// Where the pixel at hand of a phase with one tap that never lies on padding comes from, and goes to.
RowsConvolution::Point RowsConvolution::point_of(const Call& call, const RowsCursor& cursor, int64_t group) const {
  const int64_t from_d = cursor.d * d_.source_stride + d_.offset[d_.first[cursor.phase_d]];
  const int64_t from_h = cursor.h * h_.source_stride + h_.offset[h_.first[cursor.phase_h]];
  const int64_t from_w = cursor.w * w_.source_stride + w_.offset[w_.first[cursor.phase_w]];
  const int64_t to_d = cursor.phase_d + cursor.d * d_.target_stride, to_h = cursor.phase_h + cursor.h * h_.target_stride;
  const int64_t to_w = cursor.phase_w + cursor.w * w_.target_stride;
  return {call.source + (((cursor.n * d_.source + from_d) * h_.source + from_h) * w_.source + from_w) * source_c_ + group * depth_,
          call.target + (((cursor.n * d_.target + to_d) * h_.target + to_h) * w_.target + to_w) * target_c_};
}

}  // namespace convlane
