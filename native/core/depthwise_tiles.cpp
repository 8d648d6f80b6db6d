// SPDX-License-Identifier: MIT
#include "depthwise_tiles.h"

#include "parallel.h"

namespace convlane {

namespace {

constexpr int64_t kTaps = 9, kWeights = kDepthwiseTileWeights;
constexpr int64_t kNearChannels = 256;  // whose weights, and what a tile reads of them, the first cache holds

// What the gradient, with a stride of 1, reads and writes.
Axis turned(const Axis& axis) {
  Axis other = axis;
  std::swap(other.in, other.out);
  other.before = axis.extent() - 1 - axis.before;
  return other;
}

// Sweeps with 32 registers hold the weights and the sums of two lines: on small maps, where most tiles lie at an edge, and with few channels they take 10 to 35 %
// less time (Zen 5). But not where pixels are a multiple of 1 KB apart, which they read from few sets of the caches.
bool pays(const ConvGeometry& g) {
  if (kernels().width < 16 || g.c % 256 == 0) return true;
  return g.w.out >= 8 && (g.w.stride > 1 || g.c >= 64);
}

}  // namespace

bool depthwise_tiles_fit(const ConvGeometry& g, Direction direction) {
  if (!depthwise_convolution_fits(g) || g.h.kernel != 3 || g.h.dilation != 1 || g.h.stride != g.w.stride) return false;
  if (direction == Direction::gradient && (g.h.stride != 1 || g.d.stride != 1)) return false;
  return g.d.kernel == 1 && g.d.before == 0 && g.d.after == 0 && pays(g);
}

// One run.
struct DepthwiseTiles::Call {
  const float* source;
  const float* weights;  // packed
  Activation activation;
  float* target;
  bool fetches, streams;
};

DepthwiseTiles::DepthwiseTiles(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      turned_(direction == Direction::gradient),
      h_(turned_ ? turned(geometry.h) : geometry.h),
      w_(turned_ ? turned(geometry.w) : geometry.w),
      planes_(turned_ ? geometry.d.in : geometry.d.out),
      strips_(divide_up(h_.out, kDepthwiseTileLines)),
      columns_(depthwise_columns(w_.in, w_.out, w_.before, w_.stride > 1 ? 1 : w_.dilation)) {}

int64_t DepthwiseTiles::scratch_floats(int64_t) const { return round_up(geometry_.c, kernels().width) * kWeights; }

void DepthwiseTiles::pack(const float* weights, const float* bias, float* packed) const {
  const int64_t c = geometry_.c, width = kernels().width;
  for (int64_t at = 0; at < c; at += width) {
    const int64_t from = std::min(at, c - width);
    for (int64_t tap = 0; tap < kTaps; ++tap, packed += width) std::copy_n(weights + (turned_ ? kTaps - 1 - tap : tap) * c + from, width, packed);
    if (bias == nullptr) {
      std::fill_n(packed, width, 0.0f);
    } else {
      std::copy_n(bias + from, width, packed);
    }
    packed += width;
  }
}

void DepthwiseTiles::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target,
                         float* scratch) const {
  n = geometry_.batch.of(n);
  pack(weights, bias, scratch);
  const int64_t c = geometry_.c, strips = n * planes_ * strips_, floats = n * (geometry_.in_pixels() + geometry_.out_pixels()) * c;
  const bool at_once = activation == Activation::linear || activation == Activation::relu;
  const Call call{source, scratch, activation, target, floats >= kDepthwiseFarFloats, at_once && depthwise_streams(floats, c, target)};
  const int64_t wanted = chunks_for(geometry_.work(n));
  const ChannelBlocks blocks(c, divide_up(wanted, strips));
  const int64_t items = strips * blocks.count, chunks = std::min(items, wanted);
  auto body = [&](int64_t chunk) {
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) {
      const int64_t block = item / strips, from = blocks.first(block), all = blocks.first(block + 1) - from;
      const ChannelBlocks near(all, divide_up(all, kNearChannels));
      for (int64_t part = 0; part < near.count; ++part) {
        const int64_t first = near.first(part), channels = near.first(part + 1) - first;
        run_strip(call, item % strips, from + first, channels);
      }
    }
    if (call.streams) kernels().stream_fence();
  };
  if (chunks == 1) {
    body(0);
  } else if (chunks > 1) {
    parallel_for(chunks, body);
  }
}

void DepthwiseTiles::run_strip(const Call& call, int64_t number, int64_t first, int64_t channels) const {
  const int64_t c = geometry_.c, line = number % strips_ * kDepthwiseTileLines, plane = number / strips_;
  const int64_t to_d = plane % planes_, image = plane / planes_;
  const int64_t depth = turned_ ? geometry_.d.out : geometry_.d.in, from_d = to_d * geometry_.d.stride;
  const int64_t row = line * h_.stride - h_.before, step = (w_.stride > 1 ? 1 : w_.dilation) * c;

  DepthwiseTilesArgs args{};
  args.lines = std::min<int64_t>(kDepthwiseTileLines, h_.out - line);
  for (int64_t r = 0; r < (args.lines - 1) * h_.stride + 3; ++r) args.rows |= static_cast<uint32_t>(inside(row + r, h_.in)) << r;
  args.w = call.weights + first * kWeights;
  args.stride = w_.stride;
  args.step = step;
  args.x_line = w_.in * c;
  args.y_line = w_.out * c;
  args.channels = channels;
  args.activation = call.activation;
  args.streams = call.streams;
  args.fetches = call.fetches;
  for (const DepthwiseColumns& columns : columns_) {
    args.x = call.source + ((image * depth + from_d) * h_.in + row) * args.x_line + columns.x_first * c + first;
    args.y = call.target + (plane * h_.out + line) * args.y_line + columns.y_first * c + first;
    args.source = columns.source;
    args.target = columns.target;
    args.before = columns.before;
    kernels().depthwise_tiles(args);
  }
}

}  // namespace convlane
