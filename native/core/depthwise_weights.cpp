// SPDX-License-Identifier: MIT
#include "depthwise_weights.h"

#include "partial_sums.h"

namespace convlane {

namespace {

constexpr int64_t kPixelsForSums = 8;        // pixels of x and dy that a split reads for each of its sums, or more
constexpr int64_t kPartialFloats = 2 << 20;  // most floats of all partial sums
constexpr int64_t kFarFloats = 3 << 20;      // of x and dy that a cache holds
constexpr int64_t kKeptStep = 512;           // columns that are a multiple of so many floats apart fall into a few sets of the first cache
constexpr int64_t kColumns = 64;             // of a chain of sums, or up to twice as many

// The columns of dy cut into stretches, each with the columns of x that it reads.
std::vector<DepthwiseColumns> stretches_of_columns(const Axis& w) {
  const int64_t apart = w.stride > 1 ? 1 : w.dilation;
  std::vector<DepthwiseColumns> stretches;
  for (const DepthwiseColumns& all : depthwise_columns(w.in, w.out, w.before, apart)) {
    for (int64_t from = 0; from < all.target;) {
      const int64_t to = all.target - from < 2 * kColumns ? all.target : from + kColumns, start = from * w.stride - all.before;
      const int64_t first = std::max<int64_t>(0, start), last = std::min(all.source, start + (to - from - 1) * w.stride + w.kernel);
      stretches.push_back({all.x_first + first * apart, all.y_first + from * apart, std::max<int64_t>(0, last - first), to - from, first - start});
      from = to;
    }
  }
  return stretches;
}

}  // namespace

DepthwiseWeights::DepthwiseWeights(const ConvGeometry& geometry)
    : geometry_(geometry),
      columns_(stretches_of_columns(geometry.w)),
      bands_(bands_of(geometry)) {}

std::vector<DepthwiseWeights::Band> DepthwiseWeights::bands_of(const ConvGeometry& geometry) {
  const Axis& h = geometry.h;
  std::vector<Band> bands;
  if (h.kernel != 3 || h.stride != 2 || h.dilation != 1 || geometry.w.kernel != 3 || geometry.w.stride != 2) {
    for (const LineBand& lines : line_bands(geometry)) bands.push_back({lines, false});
    return bands;
  }
  const int64_t most = most_band_lines(geometry);
  auto paired = [&](int64_t line) { return line >= 0 && line + 1 < h.out && inside(h.source(line, 1), h.in) && inside(h.source(line, 2), h.in); };
  for (int64_t line = 0; line < h.out; ++line) {
    const TapRange taps = taps_inside(h, line);
    const TapRange rest{paired(line - 1) ? std::max<int64_t>(taps.first, 1) : taps.first, paired(line) ? std::min<int64_t>(taps.last, 1) : taps.last};
    if (rest.first < rest.last) bands.push_back({{line, 1, rest}, false});
    if (!paired(line)) continue;
    if (!bands.empty() && bands.back().paired && bands.back().lines.lines < most) {
      ++bands.back().lines.lines;
    } else {
      bands.push_back({{line, 1, {1, 4}}, true});
    }
  }
  return bands;
}

DepthwiseWeights::Cut DepthwiseWeights::cut(int64_t n) const {
  n = geometry_.batch.of(n);
  const int64_t chunks = chunks_for(geometry_.work(n)), bands = n * geometry_.d.out * static_cast<int64_t>(bands_.size());
  const int64_t pixels = n * geometry_.d.out * geometry_.h.out * (geometry_.w.in + geometry_.w.out);
  const int64_t most = std::max<int64_t>(1, std::min({chunks, bands, pixels / (kPixelsForSums * geometry_.taps()), kPartialFloats / geometry_.weights()}));
  if (far(n)) return {most, ChannelBlocks(geometry_.c, divide_up(chunks, most)).count};  // whole lines follow one another
  const int64_t blocks = ChannelBlocks(geometry_.c, chunks).count;                       // less to sum up
  return {std::min(most, divide_up(chunks, blocks)), blocks};
}

void DepthwiseWeights::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const Cut cuts = cut(n);
  n = geometry_.batch.of(n);
  const ChannelBlocks blocks(geometry_.c, cuts.blocks);
  const int64_t bands = n * geometry_.d.out * static_cast<int64_t>(bands_.size()), floats = geometry_.weights(), c = geometry_.c;
  parallel_with_scratch(cuts.splits * blocks.count, list_floats() + kept_floats(), [&](int64_t chunk, float* memory) {
    const int64_t split = chunk / blocks.count, block = chunk % blocks.count;
    const int64_t first = blocks.first(block), channels = blocks.first(block + 1) - first;
    float* sums = (split == 0 ? dw : scratch + (split - 1) * floats) + first;
    for (int64_t tap = 0; tap < geometry_.taps(); ++tap) std::fill(sums + tap * c, sums + tap * c + channels, 0.0f);
    const int64_t last = (split + 1) * bands / cuts.splits;
    for (int64_t band = split * bands / cuts.splits; band < last; ++band) {
      add_band(n, x, dy, band, first, channels, memory, sums);
    }
  });
  add_parts(scratch, cuts.splits - 1, floats, dw);
}

// Whether n images and their gradients are more than a cache holds: then what comes next is fetched.
bool DepthwiseWeights::far(int64_t n) const {
  return n * (geometry_.in_pixels() + geometry_.out_pixels()) * geometry_.c >= kFarFloats;
}

int64_t DepthwiseWeights::list_floats() const {
  return round_up(geometry_.d.kernel * geometry_.h.kernel * static_cast<int64_t>(sizeof(DepthwiseWeightsRow) / sizeof(float)), 16);
}

// Memory for rows that lines have in common; 0 where the first cache keeps them.
int64_t DepthwiseWeights::kept_floats() const {
  const Axis &h = geometry_.h, &w = geometry_.w;
  const bool neighbours = h.kernel == 3 && h.stride == 1 && h.dilation == 1, far = w.dilation * geometry_.c % kKeptStep == 0;
  return neighbours && far && w.kernel == 3 && w.stride == 1 ? 3 * w.in * 2 * kernels().width : 0;
}

void DepthwiseWeights::add_band(int64_t n, const float* x, const float* dy, int64_t number, int64_t first, int64_t channels, float* memory,
                                float* sums) const {
  const ConvGeometry& g = geometry_;
  const int64_t bands = static_cast<int64_t>(bands_.size()), c = g.c;
  const auto& [band, paired] = bands_[static_cast<size_t>(number % bands)];
  const int64_t out_d = number / bands % g.d.out, image = number / bands / g.d.out;
  const TapRange taps_d = taps_inside(g.d, out_d);

  DepthwiseWeightsRow* rows = reinterpret_cast<DepthwiseWeightsRow*>(memory);
  DepthwiseWeightsArgs args{};
  args.rows = rows;
  args.kept = kept_floats() == 0 ? nullptr : memory + list_floats();
  args.paired = paired;
  args.lines = band.lines;
  args.x_line = g.h.stride * g.w.in * c;
  args.dy_line = g.w.out * c;
  args.taps = g.w.kernel;
  args.stride = g.w.stride;
  const int64_t apart = g.w.stride > 1 ? 1 : g.w.dilation;
  args.x_step = args.dy_step = apart * c;
  args.sums_step = c;
  args.channels = channels;
  if (far(n)) {
    args.x_ahead = band.lines * args.x_line;
    args.dy_ahead = band.lines * args.dy_line;
  }
  for (const DepthwiseColumns& columns : columns_) {
    args.row_count = 0;
    for (int64_t kd = taps_d.first; kd < taps_d.last; ++kd) {
      for (int64_t tap = band.taps.first; tap < band.taps.last; ++tap) {
        const int64_t kh = tap % g.h.kernel, line = band.first + tap / g.h.kernel;
        const int64_t row = (image * g.d.in + g.d.source(out_d, kd)) * g.h.in + g.h.source(line, kh);
        rows[args.row_count++] = {x + (row * g.w.in + columns.x_first) * c + first, sums + (kd * g.h.kernel + kh) * g.w.kernel * c};
      }
    }
    args.dy = dy + (((image * g.d.out + out_d) * g.h.out + band.first) * g.w.out + columns.y_first) * c + first;
    args.source = columns.source;
    args.target = columns.target;
    args.before = columns.before;
    kernels().depthwise_weights(args);
  }
}

}  // namespace convlane
