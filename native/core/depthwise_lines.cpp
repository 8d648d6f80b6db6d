// SPDX-License-Identifier: MIT
#include "depthwise_lines.h"

namespace convlane {

namespace {

constexpr int64_t kLines = 4;                  // of the target, of one phase, computed together: what they share of the source is near
constexpr int64_t kBlockChannels = 64;         // of weights that are copied
constexpr int64_t kWholeColumns = 4;           // fewest of a line that is one stretch
constexpr int64_t kFarChannels = 256;          // whose taps, so many floats apart, would fall into a few sets of the first cache together with x and y

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
      d_(axis_of(geometry.d, direction)),
      h_(axis_of(geometry.h, direction)),
      w_(axis_of(geometry.w, direction)),
      whole_lines_(kernels().depthwise_whole_lines && (w_.taps() == 5 || w_.taps() == 7) && w_.phases() == 1 && neighbours(w_) && w_.source_stride == 1 &&
                   w_.target >= kWholeColumns && geometry.c >= kernels().width),
      stretches_(whole_lines_ ? std::vector<Stretch>{{0, 0, w_.target, 0, w_.taps()}} : stretches_of(w_)) {}

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
  const LineGroups groups(d_, h_, geometry_.h.kernel, kLines);
  const int64_t items = groups.count(n);
  const int64_t chunks = std::min(items, chunks_for(geometry_.work(n)));
  parallel_with_scratch(chunks, Lists::floats(list_rows()), [&](int64_t chunk, float* memory) {
    Lists lists(memory);
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, groups, item, lists);
  });
}

void DepthwiseLines::run_band(const Call& call, const LineGroups& groups, int64_t item, Lists& lists) const {
  const LineGroups::Group group = groups[item];
  if (group.lines == 0) return;
  const int64_t pixel = geometry_.c;

  DirectRow* rows = lists.rows;
  for (int64_t l = 0; l < group.lines; ++l) {
    DirectLine& line = lists.lines[l];
    line = {rows, 0, call.target + groups.target_line(group, l) * w_.target * pixel};
    groups.each_row(group, l, [&](int64_t from, int64_t row) {
      *rows++ = {call.source + from * w_.source * pixel, call.weights + row * geometry_.w.kernel * call.tap_floats};
    });
    line.row_count = rows - line.rows;
  }

  DepthwiseLinesArgs args{};
  args.lines = lists.lines;
  args.line_count = group.lines;
  args.step = w_.source_stride * pixel;
  args.ldy = w_.target_stride * geometry_.c;
  args.channels = call.block_channels;
  args.activation = call.activation;
  if (call.prefetches) {
    args.x_ahead = group.phase_h + 1 < h_.phases() ? 0 : kLines * h_.source_stride * w_.source * geometry_.c;
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
      args.low = whole_lines_ ? -w_.offset[0] : 0;
      args.high = whole_lines_ ? w_.source - w_.offset[0] : s.columns + s.taps;
      const bool several = s.taps > 1;
      args.reach = several ? (w_.offset[s.first_tap + 1] - w_.offset[s.first_tap]) * pixel : 0;
      args.ldw = several ? (w_.kernel[s.first_tap + 1] - w_.kernel[s.first_tap]) * call.tap_floats : 0;
      kernels().depthwise_lines(args);
    }
  }
}

}  // namespace convlane
