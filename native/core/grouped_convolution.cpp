// SPDX-License-Identifier: MIT
#include "grouped_convolution.h"

namespace convlane {

namespace {

constexpr int64_t kFewOfGroup = 16;            // channels of a group, on either side
constexpr int64_t kSpreadFloats = 8 << 20;     // most of a thread's spread rows
constexpr int64_t kLines = 4, kSpreadLines = 2;  // of the target, of one phase, computed together: what they share of the source is near
constexpr int64_t kBlockChannels = 64;         // of weights that are copied
constexpr int64_t kFarChannels = 256;          // whose taps, so many floats apart, would fall into a few sets of the first cache together with x and y

bool inside(int64_t position, int64_t size) { return static_cast<uint64_t>(position) < static_cast<uint64_t>(size); }

}  // namespace

bool grouped_convolution_fits(const ConvGeometry& g) {
  if (g.groups == 1 || std::max(g.group_c(), g.group_oc()) > kFewOfGroup) return false;
  return g.c == g.groups && g.oc == g.groups
             ? true
             : std::max(GroupedConvolution(g, Direction::forward).spread_floats(), GroupedConvolution(g, Direction::gradient).spread_floats()) <= kSpreadFloats;
}

// One run: the operands, and the weights in the order in which they are read.
struct GroupedConvolution::Call {
  const float* source;
  const float* weights;
  const float* bias;
  Activation activation;
  float* target;
  bool prefetches;
  int64_t tap_floats, plane_floats;      // between weights of taps, and of planes
  int64_t block_count, block_channels;   // of the target, with weights of their own
};

// The lines of one band, in the thread's scratch memory.
struct GroupedConvolution::Lists {
  DirectLine* lines;
  DirectRow* rows;

  static int64_t floats(int64_t rows) {
    return round_up(static_cast<int64_t>((kLines * sizeof(DirectLine) + static_cast<size_t>(rows) * sizeof(DirectRow)) / sizeof(float)), 16);
  }
  Lists(float* memory) : lines(reinterpret_cast<DirectLine*>(memory)), rows(reinterpret_cast<DirectRow*>(lines + kLines)) {}
};

GroupedConvolution::GroupedConvolution(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      direction_(direction),
      d_(direction == Direction::forward ? forward_axis(geometry.d) : gradient_axis(geometry.d)),
      h_(direction == Direction::forward ? forward_axis(geometry.h) : gradient_axis(geometry.h)),
      w_(direction == Direction::forward ? forward_axis(geometry.w) : gradient_axis(geometry.w)),
      stretches_(stretches_of(w_)),
      source_c_(direction == Direction::forward ? geometry.c : geometry.oc),
      target_c_(direction == Direction::forward ? geometry.oc : geometry.c),
      shape_{w_.source, geometry.groups, source_c_ / geometry.groups, target_c_ / geometry.groups},
      planes_(shape_.from) {}

// Rows of the source that one band reads, at most.
int64_t GroupedConvolution::slots() const {
  return d_.taps() * std::min(h_.source, kSpreadLines * h_.taps());
}

// HWIO has the channels of the forward target last, and those of the gradient's source.
bool GroupedConvolution::packs() const { return direction_ == Direction::gradient && !shape_.identity(); }

// packed[tap][j][c] = the weight between input channel c and filter j of its group.
void GroupedConvolution::pack(const float* weights, float* packed) const {
  const int64_t inputs = geometry_.group_c(), filters = geometry_.group_oc(), c = geometry_.c, oc = geometry_.oc;
  parallel_blocks(geometry_.taps(), std::max<int64_t>(1, kElementGrain / (inputs * oc)), [&](int64_t begin, int64_t end) {
    for (int64_t tap = begin; tap < end; ++tap) {
      const float* from = weights + tap * inputs * oc;
      float* to = packed + tap * filters * c;
      for (int64_t j = 0; j < filters; ++j) {
        for (int64_t group = 0; group < geometry_.groups; ++group) {
          for (int64_t i = 0; i < inputs; ++i) *to++ = from[i * oc + group * filters + j];
        }
      }
    }
  });
}

bool GroupedConvolution::blocks() const { return target_c_ % kFarChannels == 0 && geometry_.taps() > 1; }

// blocked[block][tap][plane][c]: the weights of a block of channels lie together.
void GroupedConvolution::block(const float* weights, float* blocked) const {
  const int64_t rows = geometry_.taps() * planes_;
  parallel_blocks(target_c_ / kBlockChannels, std::max<int64_t>(1, kElementGrain / (rows * kBlockChannels)), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      kernels().pack_rows(weights + b * kBlockChannels, target_c_, rows, kBlockChannels, kBlockChannels, blocked + b * rows * kBlockChannels, kBlockChannels);
    }
  });
}

int64_t GroupedConvolution::list_rows() const { return kLines * d_.taps() * h_.taps() * planes_; }

void GroupedConvolution::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target,
                            float* scratch) const {
  n = geometry_.batch.of(n);
  if (packs()) {
    pack(weights, scratch);
    weights = scratch;
    scratch += geometry_.weights();
  }
  Call call{source, weights, bias, activation, target, !spreads() && far_from_cache(geometry_, n),
            geometry_.group_c() * geometry_.oc, target_c_, 1, target_c_};
  if (blocks()) {
    block(weights, scratch);
    call.weights = scratch;
    call.tap_floats = planes_ * kBlockChannels;
    call.plane_floats = call.block_channels = kBlockChannels;
    call.block_count = target_c_ / kBlockChannels;
  }
  const int64_t lines = spreads() ? kSpreadLines : kLines;
  const int64_t items = n * d_.target * h_.phases() * divide_up(h_.positions(0), lines);
  const int64_t chunks = std::min(items, chunks_for(geometry_.work(n)));
  const int64_t list_floats = Lists::floats(list_rows());
  parallel_with_scratch(chunks, list_floats + spread_floats(), [&](int64_t chunk, float* memory) {
    Lists lists(memory);
    SpreadRows rows(shape_, spreads() ? slots() : 0, memory + list_floats);
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, item, lists, spreads() ? &rows : nullptr);
  });
}

// Item: image, depth, lines of the target, phase of their height.
void GroupedConvolution::run_band(const Call& call, int64_t item, Lists& lists, SpreadRows* spread) const {
  const int64_t together = spread != nullptr ? kSpreadLines : kLines;
  const int64_t blocks = divide_up(h_.positions(0), together);
  const int64_t phase_h = item % h_.phases(), first_h = item / h_.phases() % blocks * together;
  const int64_t to_d = item / h_.phases() / blocks % d_.target, image = item / h_.phases() / blocks / d_.target;
  const int64_t phase_d = to_d % d_.target_stride, at_d = to_d / d_.target_stride;
  const int64_t line_count = std::min(together, h_.positions(phase_h) - first_h);
  if (line_count <= 0) return;
  const int64_t pixel = target_c_;
  const int64_t plane_x = spread != nullptr ? shape_.plane() : 1;

  if (spread != nullptr) spread->next();
  DirectRow* rows = lists.rows;
  for (int64_t l = 0; l < line_count; ++l) {
    const int64_t at_h = first_h + l, to_h = phase_h + at_h * h_.target_stride;
    DirectLine& line = lists.lines[l];
    line = {rows, 0, call.target + ((image * d_.target + to_d) * h_.target + to_h) * w_.target * target_c_};
    for (int64_t td = d_.first[phase_d]; td < d_.first[phase_d + 1]; ++td) {
      const int64_t from_d = at_d * d_.source_stride + d_.offset[td];
      if (!inside(from_d, d_.source)) continue;
      for (int64_t th = h_.first[phase_h]; th < h_.first[phase_h + 1]; ++th) {
        const int64_t from_h = at_h * h_.source_stride + h_.offset[th];
        if (!inside(from_h, h_.source)) continue;
        const int64_t number = (image * d_.source + from_d) * h_.source + from_h;
        const float* x = spread != nullptr ? spread->row(call.source, number) : call.source + number * w_.source * source_c_;
        const float* w = call.weights + (d_.kernel[td] * geometry_.h.kernel + h_.kernel[th]) * geometry_.w.kernel * call.tap_floats;
        for (int64_t plane = 0; plane < planes_; ++plane) *rows++ = {x + plane * plane_x, w + plane * call.plane_floats};
      }
    }
    line.row_count = rows - line.rows;
  }

  GroupedArgs args{};
  args.lines = lists.lines;
  args.line_count = line_count;
  args.step = w_.source_stride * pixel;
  args.ldy = w_.target_stride * target_c_;
  args.channels = call.block_channels;
  args.activation = call.activation;
  if (call.prefetches) {
    args.x_ahead = phase_h + 1 < h_.phases() ? 0 : together * h_.source_stride * w_.source * source_c_;
    args.y_ahead = together * h_.target_stride * w_.target * target_c_;
  }
  for (int64_t b = 0; b < call.block_count; ++b) {
    const int64_t c = b * call.block_channels;
    args.bias = call.bias == nullptr ? nullptr : call.bias + c;
    for (const Stretch& s : stretches_) {
      args.columns = s.columns;
      args.taps = s.taps;
      args.y_offset = (s.phase + s.first * w_.target_stride) * target_c_ + c;
      args.x_offset = c;
      args.w_offset = b * geometry_.taps() * call.tap_floats;
      if (s.taps > 0) {
        args.x_offset += (s.first * w_.source_stride + w_.offset[s.first_tap]) * pixel;
        args.w_offset += w_.kernel[s.first_tap] * call.tap_floats;
      }
      const bool several = s.taps > 1;
      args.reach = several ? (w_.offset[s.first_tap + 1] - w_.offset[s.first_tap]) * pixel : 0;
      args.ldw = several ? (w_.kernel[s.first_tap + 1] - w_.kernel[s.first_tap]) * call.tap_floats : 0;
      kernels().grouped_convolution(args);
    }
  }
}

}  // namespace convlane
