// SPDX-License-Identifier: MIT
#include "winograd.h"

#include <algorithm>

#include "stream.h"

namespace convlane {

namespace {

constexpr int64_t kSharedTiles = 112;      // up to so many, threads share the points of all tiles, and the panels
constexpr int64_t kBlockTiles = 12;        // at least, in one visit to the filters
constexpr int64_t kDeep = 256;             // channels from which on a block is twice as long: its points don't stay near anyway, its filters are read half as often
constexpr int64_t kProductFloats = 160000;  // of a panel in all points, at most, where a block may be long. Where all tiles are one such block, who multiplies by
                                            // a panel transforms its filters: fetching what another thread had transformed took as long as all the rest
constexpr int64_t kSumDepth = 128;         // longest chain of sums: longer ones would cost more accuracy than the transforms do
constexpr int64_t kDeepSums = 64;          // with kDeep channels, whose filters are transformed so many rows at a time: half as many stay near
constexpr int64_t kKeptFilters = 3 << 19;  // floats of transformed filters that are kept where tiles are more than that; for so many tiles or fewer, more of them
constexpr int64_t kPassingTiles = 160;     // aren't worth the way out of the near cache and back
constexpr int64_t kPrepared = 10 << 20;    // floats of transformed filters, at most, that are kept from run to run: 40 MB. 1.1 times as fast with 8 images, 1.7 with one
constexpr int64_t kNearFilters = 1 << 16;  // floats of filters that are near however they lie
constexpr int64_t kStreamed = 3 << 18;     // floats of a target from which on it is written past the caches, with one of 32 MB
constexpr int64_t kMostPoints = 64;

int64_t depth_part(int64_t depth) { return round_up(divide_up(depth, divide_up(depth, depth < kDeep ? kSumDepth : kDeepSums)), kWinogradLine); }

}  // namespace

const WinogradKernels* winograd_kernels(const ConvGeometry& g, int64_t outputs) {
  const auto plain = [](const Axis& axis) { return axis.stride == 1 && axis.dilation == 1; };
  if (g.groups != 1 || g.d.in != 1 || g.d.out != 1 || g.d.kernel != 1 || !plain(g.h) || !plain(g.w) || g.h.kernel != g.w.kernel) return nullptr;
  for (const WinogradKernels& size : kernels().winograd) {
    if (size.taps == g.h.kernel && size.outputs == outputs) return &size;
  }
  return nullptr;
}

TileSquares WinogradConvolution::squares(const ConvGeometry& g, Direction direction, const WinogradKernels& size, bool written) {
  const int64_t last = size.taps - 1;
  const bool forward = direction == Direction::forward;
  const TileAxis h(forward ? g.h.out : g.h.in, size), w(forward ? g.w.out : g.w.in, size);
  if (written) return {h, w, h.outputs, w.outputs, forward ? g.oc : g.c, size.outputs, true};
  if (forward) return {h, w, g.h.in, g.w.in, g.c, size.points, false, g.h.before, g.w.before};
  return {h, w, g.h.out, g.w.out, g.oc, size.points, false, last - g.h.before, last - g.w.before};
}

struct WinogradConvolution::Call {
  const float* source;
  const float* filters;      // as they are, or
  const float* transformed;  // all of them; null where they are passing
  const float* bias;
  Activation activation;
  float* target;
  bool stream;
  const float* zeros;        // what padding reads
};

// A block's tiles: their pixels, and those that each point needs.
struct WinogradConvolution::Target {
  float** pixels;
  int64_t tiles;
  WinogradRange ranges[kMostPoints];
};

WinogradConvolution::WinogradConvolution(const ConvGeometry& g, Direction direction, const WinogradKernels& size)
    : direction_(direction),
      size_(size),
      batch_(g.batch),
      source_(squares(g, direction, size, false)),
      target_(squares(g, direction, size, true)),
      order_(target_.h, target_.w),
      depth_(source_.channels),
      columns_(target_.channels) {
  lines_ = divide_up(depth_, kWinogradLine);
  const int64_t vector = kernels().width;
  width_ = std::min<int64_t>(kernels().product_vectors, divide_up(columns_, vector)) * vector;
  panels_ = divide_up(columns_, width_);
  part_ = depth_part(depth_);
}

WinogradConvolution::Cuts WinogradConvolution::cut(int64_t tiles, bool prepared) const {
  const int64_t least = round_up(kBlockTiles, kernels().product_rows) * (depth_ < kDeep ? 1 : 2);
  const int64_t most = std::max<int64_t>(1, kProductFloats / (points() * width_));
  Cuts cuts;
  cuts.passing = !prepared && tiles <= kPassingTiles && (tiles <= most || filter_floats() > kKeptFilters);
  cuts.shared = panels_ > 1 && (cuts.passing || tiles <= kSharedTiles);
  cuts.blocks = divide_up(tiles, least);
  if (cuts.shared || cuts.passing) {
    cuts.blocks = std::min(cuts.blocks, std::max(divide_up(tiles, most), divide_up(cuts.passing ? threads() : kChunks, panels_)));
  } else if (cuts.blocks < kChunks) {
    cuts.blocks = round_up(cuts.blocks, 4);  // for a few threads, as many each
  }
  return cuts;
}

int64_t WinogradConvolution::scratch_floats(int64_t n) const {
  // Runs of fewer images may share, where a large one doesn't.
  const int64_t tiles = batch_.of(n) * target_.per_image(), shared = std::min(tiles, std::max(kSharedTiles, kPassingTiles));
  return round_up(depth_, kWinogradLine) + (cut(tiles, false).passing ? 0 : filter_floats()) + points_floats(shared) + list_floats(shared);
}

int64_t WinogradConvolution::prepared_floats() const { return filter_floats() > kPrepared ? 0 : filter_floats(); }

void WinogradConvolution::run(int64_t n, const float* source, const float* filters, const float* bias, Activation activation, float* target, float* scratch,
                              const float* prepared) const {
  const int64_t images = batch_.of(n), tiles = images * target_.per_image();
  const Cuts cuts = cut(tiles, prepared != nullptr);
  float* zeros = scratch;
  float* transformed = zeros + round_up(depth_, kWinogradLine);
  const bool transforms = !cuts.passing && prepared == nullptr;
  float* rest = transformed + (transforms ? filter_floats() : 0);
  std::fill(zeros, zeros + depth_, 0.0f);
  if (transforms) transform_filters(filters, transformed);
  // Lines must be whole, and where a vector is shorter than a line, its parts would go to memory one by one.
  const bool aligned = reinterpret_cast<uintptr_t>(target) % 64 == 0 && columns_ % kWinogradLine == 0 && kernels().width == kWinogradLine;
  const bool simple = activation == Activation::linear || activation == Activation::relu;
  const bool stream = aligned && simple && images * target_.height * target_.width * columns_ >= of_last_cache(kStreamed);
  const float* all_filters = prepared != nullptr ? prepared : transformed;
  const Call call{source, filters, cuts.passing ? nullptr : all_filters, bias, activation, target, stream, zeros};
  const auto points_at = [&](float* data, int64_t count) { return Points{data, point_step(count), points() * point_step(count)}; };
  const Points all = points_at(rest, tiles);
  const auto first_of = [&](int64_t block) { return tiles * block / cuts.blocks; };
  int64_t* all_places = nullptr;  // each block's own
  if (cuts.shared) {
    all_places = reinterpret_cast<int64_t*>(rest + points_floats(tiles));
    for (int64_t b = 0; b < cuts.blocks; ++b) {
      const int64_t first = first_of(b);
      order_.sort(first, first_of(b + 1) - first, all_places + first, nullptr);
      for (int64_t t = first; t < first_of(b + 1); ++t) all_places[t] += first;
    }
    const int64_t grain = std::max<int64_t>(1, kElementGrain / (points() * depth_));
    parallel_blocks(tiles, grain, [&](int64_t begin, int64_t end) {
      transform_tiles(call, begin, end - begin, all_places + begin, all);
    });
  }

  const int64_t block = divide_up(tiles, cuts.blocks), outputs = target_.size * target_.size;
  const int64_t pixel_floats = round_up(2 * block * outputs, kWinogradLine);
  const int64_t passing_floats = cuts.passing ? points() * filter_step(part_) + copied_floats() : 0;
  const int64_t together = cuts.passing ? panels_together(block) : 1, own_floats = cuts.shared ? 0 : points_floats(block);
  const int64_t panel_floats = together * points() * product_step(block) + passing_floats;
  const int64_t chunk_panels = cuts.shared ? together : panels_;
  const int64_t chunks = cuts.blocks * divide_up(panels_, chunk_panels);
  parallel_with_scratch(chunks, pixel_floats + list_floats(block) + panel_floats + own_floats, [&](int64_t chunk, float* memory) {
    // Blocks of one panel follow each other: its filters stay near.
    const int64_t index = chunk % cuts.blocks, first = first_of(index), count = first_of(index + 1) - first;
    float* products = memory + pixel_floats + list_floats(block);
    Points from{all.data + first * kWinogradLine, all.step, all.line};
    Target to{reinterpret_cast<float**>(memory), count, {}};
    int64_t* places = reinterpret_cast<int64_t*>(memory + pixel_floats);
    order_.sort(first, count, places, to.ranges);
    if (!cuts.shared) {
      from = points_at(products + panel_floats, count);
      transform_tiles(call, first, count, places, from);
    }
    for (int64_t t = 0; t < count; ++t) target_.list(target, first + t, nullptr, to.pixels + places[t] * outputs);
    const int64_t panel = chunk / cuts.blocks * chunk_panels, end = std::min(panels_, panel + chunk_panels);
    for (int64_t p = panel; p < end; p += together) run_panels(call, p, std::min(end, p + together), from, to, products);
  });
}

// How many panels take turns at the same rows of the depth where filters are passing: forward, theirs lie side by side.
int64_t WinogradConvolution::panels_together(int64_t tiles) const {
  if (direction_ != Direction::forward) return 1;
  return std::clamp<int64_t>(kProductFloats / (points() * product_step(tiles)), 1, std::max<int64_t>(1, panels_ / threads()));
}

// The products of a block's tiles with panels of filters, and the outputs that follow.
void WinogradConvolution::run_panels(const Call& call, int64_t panel, int64_t end, const Points& from, const Target& to, float* memory) const {
  const bool passing = call.transformed == nullptr;
  const int64_t panel_floats = points() * product_step(to.tiles), step = passing ? part_ : depth_;
  float* filters = memory + (end - panel) * panel_floats;  // of passing ones, a part at a time
  const float* fetch[kMostPoints * kSumDepth / kWinogradLine];
  WinogradMultiply multiply{};
  multiply.point_step = from.step;
  multiply.group_step = from.line;
  multiply.product_step = product_step(to.tiles);
  multiply.width = width_;
  multiply.points = points();
  multiply.ranges = to.ranges;
  multiply.part = part_;
  multiply.filter_step = filter_step(step);
  multiply.fetch_step = direction_ == Direction::forward ? columns_ : depth_;
  const int64_t used = std::count_if(to.ranges, to.ranges + points(), [](const WinogradRange& range) { return range.count > 0; });
  for (int64_t row = 0; row < depth_; row += step) {
    for (int64_t p = panel; p < end; ++p) {
      multiply.from = from.data + row / kWinogradLine * from.line;
      multiply.products = memory + (p - panel) * panel_floats;
      multiply.depth = std::min(step, depth_ - row);
      multiply.accumulate = row > 0;
      multiply.vectors = static_cast<int32_t>(divide_up(columns_of(p), kernels().width));
      if (passing) {
        const bool last = p + 1 == end, all = last && row + step >= depth_;
        multiply.fetch = fetch;
        list_next(call.filters, all ? panel + (end - panel) * threads() : last ? panel : p + 1, all ? 0 : last ? row + step : row,
                  used * divide_up(multiply.depth, kWinogradLine), fetch);
        transform_rows(call.filters, p, row, multiply.depth, filters, multiply.filter_step, filters + points() * multiply.filter_step);
        multiply.filters = filters;
      } else {
        multiply.filters = call.transformed + p * points() * multiply.filter_step;
      }
      kernels().winograd_multiply(multiply);
    }
  }
  for (int64_t p = panel; p < end; ++p) finish_panel(call, p, to, memory + (p - panel) * panel_floats);
}

void WinogradConvolution::finish_panel(const Call& call, int64_t panel, const Target& to, const float* products) const {
  const int64_t column = panel * width_, columns = columns_of(panel), outputs = target_.size * target_.size;
  WinogradOutput output{};
  output.points = products;
  output.step = product_step(to.tiles);
  output.width = width_;
  output.pixels = to.pixels;
  output.tiles = to.tiles;
  output.channels = columns;
  output.offset = column;
  output.stream = call.stream;
  output.bias = call.bias == nullptr ? nullptr : call.bias + column;
  output.relu = call.activation == Activation::relu;
  size_.output(output);
  if (call.activation == Activation::linear || call.activation == Activation::relu) return;
  for (int64_t i = 0; i < to.tiles * outputs; ++i) {
    if (to.pixels[i] != nullptr) kernels().activate(call.activation, to.pixels[i] + column, to.pixels[i] + column, columns);
  }
}

// Lists the lines of filters that the next rows of the depth are made of: they lie far apart, and would be waited for one by one.
void WinogradConvolution::list_next(const float* filters, int64_t panel, int64_t row, int64_t count, const float** lines) const {
  const int64_t taps = static_cast<int64_t>(size_.taps) * size_.taps, across = divide_up(width_, kWinogradLine);
  const int64_t along = divide_up(std::min(part_, depth_ - row), kWinogradLine);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t tap = i / (across * along), column = panel * width_ + i / along % across * kWinogradLine, at = row + i % along * kWinogradLine;
    const bool exists = tap < taps && column < columns_;
    const int64_t offset = direction_ == Direction::forward ? at * columns_ + column : column * depth_ + at;
    lines[i] = exists ? filters + tap * depth_ * columns_ + offset : nullptr;
  }
}

// Transforms rows of the depth of one panel's filters. Many are copied tap by tap first: windows of channels that are a power of two share so few places in
// the caches that the taps of one would push each other out.
void WinogradConvolution::transform_rows(const float* filters, int64_t panel, int64_t row, int64_t rows, float* to, int64_t step, float* memory) const {
  const int64_t taps = static_cast<int64_t>(size_.taps) * size_.taps, first = panel * width_, columns = columns_of(panel);
  if (direction_ == Direction::forward && taps * depth_ * columns_ <= kNearFilters && columns % kernels().width == 0) {
    for (int64_t r = 0; r < rows; ++r) size_.filters({filters + (row + r) * columns_ + first, depth_ * columns_, to + r * width_, step, columns});
    return;
  }
  for (int64_t r = 0; r < rows; r += kFilterRows) {
    const int64_t count = std::min(kFilterRows, rows - r);
    for (int64_t tap = 0; tap < taps; ++tap) {
      float* copy = memory + tap * copied_step();
      if (direction_ == Direction::forward) {
        kernels().pack_rows(filters + (tap * depth_ + row + r) * columns_ + first, columns_, count, columns, width_, copy, width_);
      } else {  // the window turned: the last tap first
        kernels().pack_transposed(filters + ((taps - 1 - tap) * columns_ + first) * depth_ + row + r, depth_, count, columns, width_, copy, width_);
      }
    }
    size_.filters({memory, copied_step(), to + r * width_, step, count * width_});
  }
}

void WinogradConvolution::transform_filters(const float* filters, float* to) const {
  const int64_t stretches = divide_up(depth_, kFilterRows);
  parallel_with_scratch(panels_ * stretches, copied_floats(), [&](int64_t item, float* memory) {
    const int64_t panel = item / stretches, row = item % stretches * kFilterRows;
    float* at = to + panel * points() * filter_step(depth_) + row * width_;
    transform_rows(filters, panel, row, std::min(kFilterRows, depth_ - row), at, filter_step(depth_), memory);
  });
}

void WinogradConvolution::transform_tiles(const Call& call, int64_t first, int64_t count, const int64_t* places, const Points& to) const {
  float* pixels[2][kMostPoints];
  WinogradTile tile{nullptr, to.data, to.step, to.line, depth_, nullptr, {}};
  WinogradNeeds needs = source_.list(call.source, first, call.zeros, pixels[0]);
  for (int64_t t = 0; t < count; ++t) {
    float **now = pixels[t % 2], **next = pixels[(t + 1) % 2];
    tile.needs = needs;
    if (t + 1 < count) needs = source_.list(call.source, first + t + 1, call.zeros, next);
    tile.pixels = now;
    tile.points = to.data + places[t] * kWinogradLine;
    tile.next = t + 1 < count ? next : nullptr;
    size_.input(tile);
  }
}

}  // namespace convlane
