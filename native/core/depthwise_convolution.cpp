// SPDX-License-Identifier: MIT
#include "depthwise_convolution.h"

#include "parallel.h"
#include "stream.h"

namespace convlane {

namespace {

constexpr int64_t kFarFloats = 3 << 20;     // of source and target: more aren't in a cache, and what comes next is fetched
constexpr int64_t kStreamFloats = 5 << 20;  // more don't stay in one of 32 MB: the target goes past it
constexpr int64_t kColumns = 64;            // of a chain of sums of a weight gradient, or up to twice as many

int64_t list_floats(int64_t rows) { return round_up(rows * static_cast<int64_t>(sizeof(DepthwiseRow) / sizeof(float)), 16); }

}  // namespace

bool depthwise_weights_fit(const ConvGeometry& g) {
  if (g.groups == 1 || g.groups != g.c || g.c != g.oc || g.c < kernels().width) return false;
  if (g.w.kernel != 3 && g.w.kernel != 5 && g.w.kernel != 7) return false;
  return g.w.stride == 1 || (g.w.stride == 2 && g.w.dilation == 1);
}

bool depthwise_forward_fits(const ConvGeometry& g) {
  if (depthwise_convolution_fits(g)) return true;
  return depthwise_weights_fit(g) && g.w.kernel == 5 && g.w.stride == 2 && g.h.kernel <= 5 && g.d.kernel == 1 && kernels().depthwise_windows5;
}

bool depthwise_streams(int64_t floats, int64_t channels, const float* target) {
  return floats >= of_last_cache(kStreamFloats) && channels % 16 == 0 && kernels().width == 16 && reinterpret_cast<uintptr_t>(target) % 64 == 0;
}

std::vector<DepthwiseColumns> depthwise_columns(int64_t source, int64_t target, int64_t before, int64_t dilation) {
  std::vector<DepthwiseColumns> columns;
  for (int64_t phase = 0; phase < std::min(dilation, target); ++phase) {
    const int64_t first = ((phase - before) % dilation + dilation) % dilation;
    columns.push_back({first, phase, divide_up(std::max<int64_t>(0, source - first), dilation), divide_up(target - phase, dilation),
                       (first - (phase - before)) / dilation});
  }
  return columns;
}

std::vector<DepthwiseColumns> depthwise_stretches(const Axis& w) {
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

struct DepthwiseConvolution::Call {
  const float* source;
  const float* weights;
  const float* bias;
  Activation activation;
  float* target;
  bool prefetches, streams;
  ChannelBlocks blocks;
};

DepthwiseConvolution::DepthwiseConvolution(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      d_(axis_of(geometry.d, direction)),
      h_(axis_of(geometry.h, direction)),
      w_(axis_of(geometry.w, direction)),
      transposed_(direction == Direction::gradient && geometry.w.stride > 1),
      turned_(direction == Direction::gradient && geometry.w.stride == 1) {
  const Axis& w = geometry.w;
  columns_ = w.stride > 1 ? depthwise_columns(w_.source, w_.target, w.before, 1)
                          : depthwise_columns(w_.source, w_.target, turned_ ? (w.kernel - 1) * w.dilation - w.before : w.before, w.dilation);
  const bool flat = d_.taps() == 1 && d_.phases() == 1 && geometry.d.before == 0 && geometry.d.after == 0;  // every line reads one plane
  const bool strips = !transposed_ && flat && h_.phases() == 1 && geometry.h.dilation == 1 && geometry.h.kernel == w.kernel && geometry.h.stride == w.stride;
  for (int64_t line = 0; line < h_.target;) {
    const bool whole = strips && line + kDepthwiseLines <= h_.target && complete(line) && complete(line + kDepthwiseLines - 1);
    const int64_t lines = whole ? kDepthwiseLines : transposed_ ? std::min<int64_t>(2, h_.target - line) : 1;
    bands_.push_back({line, lines, whole});
    line += lines;
  }
}

// Whether all rows of a line's window lie inside.
bool DepthwiseConvolution::complete(int64_t line) const {
  const int64_t at = line * h_.source_stride;
  return inside(at + h_.offset.front(), h_.source) && inside(at + h_.offset.back(), h_.source);
}

void DepthwiseConvolution::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float*) const {
  n = geometry_.batch.of(n);
  const int64_t floats = n * (geometry_.in_pixels() + geometry_.out_pixels()) * geometry_.c;
  const bool at_once = activation == Activation::linear || activation == Activation::relu;
  const int64_t bands = n * d_.target * static_cast<int64_t>(bands_.size());
  const int64_t wanted = chunks_for(geometry_.work(n));
  const Call call{source, weights, bias,  activation, target, floats >= kFarFloats, at_once && depthwise_streams(floats, geometry_.c, target),
                  ChannelBlocks(geometry_.c, divide_up(wanted, bands))};
  const int64_t items = bands * call.blocks.count, chunks = std::min(items, wanted);
  const int64_t rows = d_.taps() * h_.taps() + kDepthwiseLines * h_.source_stride;
  parallel_with_scratch(chunks, list_floats(2 * rows), [&](int64_t chunk, float* memory) {
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, item, memory);
    if (call.streams) kernels().stream_fence();
  });
}

// The rows that `lines` lines read, with the weights of the first one.
int64_t DepthwiseConvolution::list_rows(int64_t image, int64_t to_d, int64_t line, int64_t lines, const Call& call, DepthwiseRow* rows) const {
  const int64_t c = geometry_.c, taps = geometry_.w.kernel;
  const int64_t phase_d = to_d % d_.target_stride, at_d = to_d / d_.target_stride;
  const int64_t phase_h = line % h_.target_stride, at_h = line / h_.target_stride;
  int64_t count = 0;
  for (int64_t td = d_.first[phase_d]; td < d_.first[phase_d + 1]; ++td) {
    const int64_t from_d = at_d * d_.source_stride + d_.offset[td];
    if (!inside(from_d, d_.source)) continue;
    const float* plane = call.source + (image * d_.source + from_d) * h_.source * w_.source * c;
    for (int64_t th = h_.first[phase_h]; th < h_.first[phase_h + 1]; ++th) {
      const int64_t from_h = at_h * h_.source_stride + h_.offset[th];
      if (!inside(from_h, h_.source)) continue;
      const int64_t row = d_.kernel[td] * geometry_.h.kernel + h_.kernel[th];
      rows[count++] = {plane + from_h * w_.source * c, call.weights + (row * taps + (turned_ ? taps - 1 : 0)) * c};
    }
  }
  for (int64_t more = (lines - 1) * h_.source_stride; more > 0; --more, ++count) rows[count] = {rows[count - 1].x + w_.source * c, nullptr};
  return count;
}

// Item: image, depth, channels, band.
void DepthwiseConvolution::run_band(const Call& call, int64_t item, float* memory) const {
  const int64_t bands = static_cast<int64_t>(bands_.size()), c = geometry_.c;
  const Band& band = bands_[static_cast<size_t>(item % bands)];
  const int64_t block = item / bands % call.blocks.count;
  const int64_t to_d = item / bands / call.blocks.count % d_.target, image = item / bands / call.blocks.count / d_.target;
  const int64_t first = call.blocks.first(block), channels = call.blocks.first(block + 1) - first;
  const int64_t source_line = w_.source * c, target_line = w_.target * c;
  float* y = call.target + ((image * d_.target + to_d) * h_.target + band.first) * target_line;

  DepthwiseRow* rows = reinterpret_cast<DepthwiseRow*>(memory);
  DepthwiseStrip strips[2];
  int64_t strip_count = 0, row_count = 0;
  for (int64_t l = 0; l < band.lines; l += band.whole ? band.lines : 1) {
    const int64_t lines = band.whole ? band.lines : 1;
    const int64_t count = list_rows(image, to_d, band.first + l, lines, call, rows + row_count);
    strips[strip_count++] = {rows + row_count, count, lines, y + l * target_line};
    row_count += count;
  }

  DepthwiseArgs args{};
  args.strips = strips;
  args.strip_count = strip_count;
  args.taps = geometry_.w.kernel;
  args.stride = geometry_.w.stride;
  args.transposed = transposed_;
  const int64_t apart = geometry_.w.stride > 1 ? 1 : geometry_.w.dilation;
  args.x_step = apart * c;
  args.y_step = apart * c;
  args.w_step = turned_ ? -c : c;
  args.y_line = target_line;
  args.channels = channels;
  args.bias = call.bias == nullptr ? nullptr : call.bias + first;
  args.activation = call.activation;
  args.streams = call.streams;
  if (call.prefetches) {
    args.x_ahead = transposed_ ? source_line : band.lines * h_.source_stride * source_line;
    args.y_ahead = call.streams ? 0 : band.lines * target_line;
  }
  for (int64_t r = 0; r < row_count; ++r) rows[r] = {rows[r].x + first, rows[r].w == nullptr ? nullptr : rows[r].w + first};
  for (int64_t s = 0; s < strip_count; ++s) strips[s].y += first;
  for (const DepthwiseColumns& columns : columns_) {
    for (int64_t r = 0; r < row_count; ++r) rows[r].x += columns.x_first * c;
    for (int64_t s = 0; s < strip_count; ++s) strips[s].y += columns.y_first * c;
    args.source = columns.source;
    args.target = columns.target;
    args.before = columns.before;
    kernels().depthwise_convolution(args);
    for (int64_t r = 0; r < row_count; ++r) rows[r].x -= columns.x_first * c;
    for (int64_t s = 0; s < strip_count; ++s) strips[s].y -= columns.y_first * c;
  }
}

}  // namespace convlane
