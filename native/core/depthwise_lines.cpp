// SPDX-License-Identifier: MIT
#include "depthwise_lines.h"

namespace convlane {

namespace {

constexpr int64_t kLines = 4;                  // of the target, of one phase, computed together: what they share of the source is near
constexpr int64_t kBlockChannels = 64;         // of weights that are copied
constexpr int64_t kFarChannels = 256;          // whose taps, so many floats apart, would fall into a few sets of the first cache together with x and y

bool inside(int64_t position, int64_t size) { return static_cast<uint64_t>(position) < static_cast<uint64_t>(size); }

}  // namespace

// One run: the operands, and the weights in the order in which they are read.
struct DepthwiseLines::Call {
  const float* source;
  const float* weights;
  const float* bias;
  Activation activation;
  float* target;
  bool prefetches;
  int64_t tap_floats;                    // between weights of taps
  int64_t block_count, block_channels;   // of the target, with weights of their own
};

// The lines of one band, in the thread's scratch memory.
struct DepthwiseLines::Lists {
  DirectLine* lines;
  DirectRow* rows;

  static int64_t floats(int64_t rows) {
    return round_up(static_cast<int64_t>((kLines * sizeof(DirectLine) + static_cast<size_t>(rows) * sizeof(DirectRow)) / sizeof(float)), 16);
  }
  Lists(float* memory) : lines(reinterpret_cast<DirectLine*>(memory)), rows(reinterpret_cast<DirectRow*>(lines + kLines)) {}
};

DepthwiseLines::DepthwiseLines(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      d_(direction == Direction::forward ? forward_axis(geometry.d) : gradient_axis(geometry.d)),
      h_(direction == Direction::forward ? forward_axis(geometry.h) : gradient_axis(geometry.h)),
      w_(direction == Direction::forward ? forward_axis(geometry.w) : gradient_axis(geometry.w)),
      stretches_(stretches_of(w_)) {}

bool DepthwiseLines::blocks() const { return geometry_.c % kFarChannels == 0 && geometry_.taps() > 1; }

// blocked[block][tap][c]: the weights of a block of channels lie together.
void DepthwiseLines::block(const float* weights, float* blocked) const {
  const int64_t rows = geometry_.taps();
  parallel_blocks(geometry_.c / kBlockChannels, std::max<int64_t>(1, kElementGrain / (rows * kBlockChannels)), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      kernels().pack_rows(weights + b * kBlockChannels, geometry_.c, rows, kBlockChannels, kBlockChannels, blocked + b * rows * kBlockChannels, kBlockChannels);
    }
  });
}

int64_t DepthwiseLines::list_rows() const { return kLines * d_.taps() * h_.taps(); }

void DepthwiseLines::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target,
                            float* scratch) const {
  n = geometry_.batch.of(n);
  Call call{source, weights, bias, activation, target, far_from_cache(geometry_, n), geometry_.c, 1, geometry_.c};
  if (blocks()) {
    block(weights, scratch);
    call.weights = scratch;
    call.tap_floats = call.block_channels = kBlockChannels;
    call.block_count = geometry_.c / kBlockChannels;
  }
  const int64_t items = n * d_.target * h_.phases() * divide_up(h_.positions(0), kLines);
  const int64_t chunks = std::min(items, chunks_for(geometry_.work(n)));
  parallel_with_scratch(chunks, Lists::floats(list_rows()), [&](int64_t chunk, float* memory) {
    Lists lists(memory);
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, item, lists);
  });
}

// Item: image, depth, lines of the target, phase of their height.
void DepthwiseLines::run_band(const Call& call, int64_t item, Lists& lists) const {
  const int64_t blocks = divide_up(h_.positions(0), kLines);
  const int64_t phase_h = item % h_.phases(), first_h = item / h_.phases() % blocks * kLines;
  const int64_t to_d = item / h_.phases() / blocks % d_.target, image = item / h_.phases() / blocks / d_.target;
  const int64_t phase_d = to_d % d_.target_stride, at_d = to_d / d_.target_stride;
  const int64_t line_count = std::min(kLines, h_.positions(phase_h) - first_h);
  if (line_count <= 0) return;
  const int64_t pixel = geometry_.c;

  DirectRow* rows = lists.rows;
  for (int64_t l = 0; l < line_count; ++l) {
    const int64_t at_h = first_h + l, to_h = phase_h + at_h * h_.target_stride;
    DirectLine& line = lists.lines[l];
    line = {rows, 0, call.target + ((image * d_.target + to_d) * h_.target + to_h) * w_.target * geometry_.c};
    for (int64_t td = d_.first[phase_d]; td < d_.first[phase_d + 1]; ++td) {
      const int64_t from_d = at_d * d_.source_stride + d_.offset[td];
      if (!inside(from_d, d_.source)) continue;
      for (int64_t th = h_.first[phase_h]; th < h_.first[phase_h + 1]; ++th) {
        const int64_t from_h = at_h * h_.source_stride + h_.offset[th];
        if (!inside(from_h, h_.source)) continue;
        const int64_t number = (image * d_.source + from_d) * h_.source + from_h;
        const float* x = call.source + number * w_.source * geometry_.c;
        const float* w = call.weights + (d_.kernel[td] * geometry_.h.kernel + h_.kernel[th]) * geometry_.w.kernel * call.tap_floats;
        *rows++ = {x, w};
      }
    }
    line.row_count = rows - line.rows;
  }

  DepthwiseLinesArgs args{};
  args.lines = lists.lines;
  args.line_count = line_count;
  args.step = w_.source_stride * pixel;
  args.ldy = w_.target_stride * geometry_.c;
  args.channels = call.block_channels;
  args.activation = call.activation;
  if (call.prefetches) {
    args.x_ahead = phase_h + 1 < h_.phases() ? 0 : kLines * h_.source_stride * w_.source * geometry_.c;
    args.y_ahead = kLines * h_.target_stride * w_.target * geometry_.c;
  }
  for (int64_t b = 0; b < call.block_count; ++b) {
    const int64_t c = b * call.block_channels;
    args.bias = call.bias == nullptr ? nullptr : call.bias + c;
    for (const Stretch& s : stretches_) {
      args.columns = s.columns;
      args.taps = s.taps;
      args.y_offset = (s.phase + s.first * w_.target_stride) * geometry_.c + c;
      args.x_offset = c;
      args.w_offset = b * geometry_.taps() * call.tap_floats;
      if (s.taps > 0) {
        args.x_offset += (s.first * w_.source_stride + w_.offset[s.first_tap]) * pixel;
        args.w_offset += w_.kernel[s.first_tap] * call.tap_floats;
      }
      const bool several = s.taps > 1;
      args.reach = several ? (w_.offset[s.first_tap + 1] - w_.offset[s.first_tap]) * pixel : 0;
      args.ldw = several ? (w_.kernel[s.first_tap + 1] - w_.kernel[s.first_tap]) * call.tap_floats : 0;
      kernels().depthwise_lines(args);
    }
  }
}

}  // namespace convlane
