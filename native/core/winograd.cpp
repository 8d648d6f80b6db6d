// SPDX-License-Identifier: MIT
#include "winograd.h"

#include <algorithm>

namespace convlane {

namespace {

constexpr int64_t kBlockTiles = 16;       // tiles in one visit to the filters: their points and products stay in L2
constexpr int64_t kSharedBlocks = 32;     // with fewer blocks, threads share the points of all tiles, and the panels
constexpr int64_t kSumDepth = 64;         // longest chain of sums: longer ones would cost more accuracy than the transforms do
constexpr int64_t kKeptFilters = 4 << 20;  // floats of transformed filters that a cache holds; of more, few tiles don't pay for the way to memory and back
constexpr int64_t kPassingTiles = 128;
constexpr int64_t kFilterRows = 16;       // rows of the depth transformed together
constexpr int64_t kMostPoints = 64;

int64_t depth_part(int64_t depth) { return divide_up(depth, divide_up(depth, kSumDepth)); }

}  // namespace

const WinogradKernels* winograd_kernels(const ConvGeometry& g, int64_t outputs) {
  const auto plain = [](const Axis& axis) { return axis.stride == 1 && axis.dilation == 1; };
  if (g.groups != 1 || g.d.in != 1 || g.d.out != 1 || g.d.kernel != 1 || !plain(g.h) || !plain(g.w) || g.h.kernel != g.w.kernel) return nullptr;
  for (const WinogradKernels& size : kernels().winograd) {
    if (size.taps == g.h.kernel && size.outputs == outputs) return &size;
  }
  return nullptr;
}

void TilesOf::list(const float* images, int64_t tile, const float* outside, float** pixels) const {
  const int64_t image = tile / per_image(), top = tile % per_image() / columns * step - before_h, left = tile % columns * step - before_w;
  const float* plane = images + image * height * width * channels;
  for (int64_t i = 0; i < size; ++i) {
    const bool inside = top + i >= 0 && top + i < height;
    const float* row = plane + (top + i) * width * channels;
    for (int64_t j = 0; j < size; ++j) {
      const float* pixel = inside && left + j >= 0 && left + j < width ? row + (left + j) * channels : outside;
      pixels[i * size + j] = const_cast<float*>(pixel);
    }
  }
}

struct WinogradConvolution::Call {
  const float* source;
  const float* bias;
  Activation activation;
  float* target;
  const float* zeros;    // what padding reads
};

WinogradConvolution::WinogradConvolution(const ConvGeometry& g, Direction direction, const WinogradKernels& size)
    : direction_(direction),
      size_(size),
      batch_(g.batch),
      depth_(direction == Direction::forward ? g.c : g.oc),
      columns_(direction == Direction::forward ? g.oc : g.c),
      panels_(columns_) {
  const bool forward = direction == Direction::forward;
  const int64_t m = size.outputs, out_h = forward ? g.h.out : g.h.in, out_w = forward ? g.w.out : g.w.in;
  const int64_t rows = divide_up(out_h, m), columns = divide_up(out_w, m), last = size.taps - 1;
  source_ = {forward ? g.h.in : g.h.out, forward ? g.w.in : g.w.out, depth_,           m, size.points, forward ? g.h.before : last - g.h.before,
             forward ? g.w.before : last - g.w.before, rows, columns};
  target_ = {out_h, out_w, columns_, m, m, 0, 0, rows, columns};
}

WinogradConvolution::Cuts WinogradConvolution::cut(int64_t tiles) const {
  Cuts cuts;
  cuts.passing = filter_floats() > kKeptFilters && tiles <= kPassingTiles;
  cuts.block = cuts.passing ? tiles : round_up(std::min(kBlockTiles, tiles), panels_.rows);
  cuts.blocks = divide_up(tiles, cuts.block);
  cuts.shared = cuts.blocks < kSharedBlocks;
  cuts.stored = cuts.shared ? tiles : cuts.block;
  cuts.panel_chunks = cuts.shared ? panels_.count : 1;
  return cuts;
}

int64_t WinogradConvolution::scratch_floats(int64_t n) const {
  // Runs of fewer images may share, where a large one doesn't.
  const int64_t tiles = batch_.of(n) * target_.per_image();
  const int64_t shared = std::min(tiles, kSharedBlocks * round_up(kBlockTiles, panels_.rows));
  return round_up(depth_, 16) + (cut(tiles).passing ? 0 : filter_floats()) + points() * point_floats(shared);
}

int64_t WinogradConvolution::prepared_floats() const { return filter_floats() > kKeptFilters ? 0 : filter_floats(); }

void WinogradConvolution::run(int64_t n, const float* source, const float* filters, const float* bias, Activation activation, float* target, float* scratch,
                              const float* prepared) const {
  const int64_t tiles = batch_.of(n) * target_.per_image();
  const Cuts cuts = cut(tiles);
  float* zeros = scratch;
  float* transformed = zeros + round_up(depth_, 16);
  float* all_points = transformed + (cuts.passing ? 0 : filter_floats());
  std::fill(zeros, zeros + depth_, 0.0f);
  if (!cuts.passing && prepared == nullptr) transform_filters(filters, transformed);
  const float* all_filters = prepared == nullptr ? transformed : prepared;
  const Call call{source, bias, activation, target, zeros};
  const int64_t step = point_floats(cuts.stored);
  if (cuts.shared) {
    const int64_t grain = std::max<int64_t>(1, kElementGrain / (points() * depth_));
    parallel_blocks(tiles, grain, [&](int64_t begin, int64_t end) { transform_tiles(call, begin, end, all_points + begin * depth_, step); });
  }

  const int64_t part = depth_part(depth_), part_step = part * panels_.width + 16;
  const int64_t dummy_floats = round_up(panels_.width, 16), products_floats = points() * product_floats(cuts.block);
  const int64_t rest = cuts.passing ? points() * part_step + copied_floats() : cuts.shared ? 0 : points() * step;
  parallel_with_scratch(cuts.blocks * cuts.panel_chunks, dummy_floats + products_floats + rest, [&](int64_t chunk, float* memory) {
    // Blocks of one panel follow each other: its filters stay near.
    const int64_t block = chunk % cuts.blocks, chunk_panels = chunk / cuts.blocks, first = block * cuts.block;
    const int64_t count = std::min(cuts.block, tiles - first);
    float *dummy = memory, *products = dummy + dummy_floats, *own = products + products_floats;
    if (!cuts.shared) transform_tiles(call, first, first + count, own, step);
    const float* from = cuts.shared ? all_points + first * depth_ : own;
    for (int64_t panel = chunk_panels * panels_.count / cuts.panel_chunks; panel < (chunk_panels + 1) * panels_.count / cuts.panel_chunks; ++panel) {
      if (cuts.passing) {
        for (int64_t row = 0; row < depth_; row += part) {
          const int64_t rows = std::min(part, depth_ - row);
          transform_rows(filters, panel, row, rows, own, part_step, own + points() * part_step);
          multiply(count, from, step, {own, part_step, row, rows}, panel, products);
        }
      } else {
        multiply(count, from, step, {all_filters + panel * points() * filter_point_floats(), filter_point_floats(), 0, depth_}, panel, products);
      }
      put_out(call, first, count, panel, products, dummy);
    }
  });
}

int64_t WinogradConvolution::copied_floats() const {
  return direction_ == Direction::forward ? 0 : static_cast<int64_t>(size_.taps) * size_.taps * kFilterRows * panels_.width;
}

// Transforms rows of the depth of one panel's filters.
void WinogradConvolution::transform_rows(const float* filters, int64_t panel, int64_t row, int64_t rows, float* to, int64_t step, float* memory) const {
  const int64_t taps = static_cast<int64_t>(size_.taps) * size_.taps, first = panels_.first(panel), columns = panels_.columns_of(panel);
  WinogradFilters f{};
  f.columns = columns;
  f.to_step = step;
  f.to_row = panels_.width;
  for (int64_t r = 0; r < rows; r += kFilterRows) {
    f.rows = std::min(kFilterRows, rows - r);
    f.to = to + r * panels_.width;
    if (direction_ == Direction::forward) {
      f.from = filters + (row + r) * columns_ + first;
      f.from_step = depth_ * columns_;
      f.from_row = columns_;
    } else {
      for (int64_t tap = 0; tap < taps; ++tap) {  // the window turned: the last tap first
        const float* from = filters + ((taps - 1 - tap) * columns_ + first) * depth_ + row + r;
        kernels().pack_transposed(from, depth_, f.rows, columns, columns, memory + tap * f.rows * panels_.width, panels_.width);
      }
      f.from = memory;
      f.from_step = f.rows * panels_.width;
      f.from_row = panels_.width;
    }
    size_.filters(f);
  }
}

void WinogradConvolution::transform_filters(const float* filters, float* to) const {
  const int64_t stretches = divide_up(depth_, kFilterRows);
  parallel_with_scratch(panels_.count * stretches, copied_floats(), [&](int64_t item, float* memory) {
    const int64_t panel = item / stretches, row = item % stretches * kFilterRows;
    float* at = to + panel * points() * filter_point_floats() + row * panels_.width;
    transform_rows(filters, panel, row, std::min(kFilterRows, depth_ - row), at, filter_point_floats(), memory);
  });
}

void WinogradConvolution::transform_tiles(const Call& call, int64_t first, int64_t last, float* to, int64_t step) const {
  float* pixels[kMostPoints];
  WinogradTile tile{pixels, to, step, depth_, nullptr, false};
  for (int64_t t = first; t < last; ++t, tile.points += depth_) {
    source_.list(call.source, t, call.zeros, pixels);
    size_.input(tile);
  }
}

// products [point, tile, column] = sum over rows of the depth of points [point, tile, row] filters [point, row, column]; added to from the second row on.
void WinogradConvolution::multiply(int64_t count, const float* from, int64_t step, const FilterRows& filters, int64_t panel, float* products) const {
  const KernelTable& table = kernels();
  const int64_t part = depth_part(depth_), width = panels_.width, product = product_floats(count);
  const float* rows[kMaxRows];
  float* out[kMaxRows];
  GemmRun run{};
  GemmRowsArgs args{};
  args.rows = rows;
  args.runs = &run;
  args.run_count = 1;
  args.ldb = width;
  args.out = out;
  args.vectors = panels_.vectors_of(panel);
  args.columns = panels_.columns_of(panel);
  for (int64_t point = 0; point < points(); ++point) {
    for (int64_t k = 0; k < filters.length; k += part) {
      run.b = filters.data + point * filters.step + k * width;
      run.length = std::min(part, filters.length - k);
      args.accumulate = filters.first + k > 0;
      // What is read next comes near while this is computed, a part of it with each tile.
      const float* next = k + part < filters.length ? run.b + part * width : filters.data + (point + 1) * filters.step;
      for (int64_t i = 0; i < count; i += panels_.rows) {
        args.next = next + i / panels_.rows * run.length * 16;
        args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, count - i));
        for (int32_t r = 0; r < args.m; ++r) {
          rows[r] = from + point * step + (i + r) * depth_ + filters.first + k;
          out[r] = products + point * product + (i + r) * width;
        }
        table.gemm_rows(args);
      }
    }
  }
}

// `dummy` takes what lies outside of the image.
void WinogradConvolution::put_out(const Call& call, int64_t first, int64_t count, int64_t panel, float* products, float* dummy) const {
  const KernelTable& table = kernels();
  const int64_t column = panels_.first(panel), columns = panels_.columns_of(panel);
  float* pixels[kMostPoints];
  const bool apart = call.activation != Activation::linear && call.activation != Activation::relu;
  WinogradTile tile{pixels, products, product_floats(count), columns, call.bias == nullptr ? nullptr : call.bias + column,
                    call.activation == Activation::relu};
  for (int64_t t = first; t < first + count; ++t, tile.points += panels_.width) {
    target_.list(call.target + column, t, dummy, pixels);
    size_.output(tile);
    for (int64_t i = 0; apart && i < target_.size * target_.size; ++i) {
      if (pixels[i] != dummy) table.activate(call.activation, pixels[i], pixels[i], columns);
    }
  }
}

}  // namespace convlane
