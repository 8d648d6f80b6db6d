// SPDX-License-Identifier: MIT
#include "direct_convolution.h"

namespace convlane {

namespace {

constexpr int64_t kFewChannels = 4;            // of one side
constexpr int64_t kLines = 4;                  // of the target, of one phase, computed together: what they share of the source is near

bool inside(int64_t position, int64_t size) { return static_cast<uint64_t>(position) < static_cast<uint64_t>(size); }

}  // namespace

std::vector<Stretch> stretches_of(const RowsAxis& axis) {
  std::vector<Stretch> stretches;
  for (int64_t phase = 0; phase < axis.phases(); ++phase) {
    const int64_t begin = axis.first[phase], taps = axis.first[phase + 1] - begin;
    const int64_t apart = taps > 1 ? axis.offset[begin + 1] - axis.offset[begin] : 1;
    for (int64_t q = 0; q < axis.positions(phase); ++q) {
      const int64_t start = taps > 0 ? q * axis.source_stride + axis.offset[begin] : 0;
      const int64_t first = start >= 0 ? 0 : std::min(taps, divide_up(-start, apart));
      const int64_t last = start >= axis.source ? 0 : std::min(taps, divide_up(axis.source - start, apart));
      const int64_t count = std::max<int64_t>(0, last - first), tap = begin + (count > 0 ? first : 0);
      if (!stretches.empty()) {
        Stretch& before = stretches.back();
        if (before.phase == phase && before.first_tap == tap && before.taps == count) {
          ++before.columns;
          continue;
        }
      }
      stretches.push_back({phase, q, 1, tap, count});
    }
  }
  return stretches;
}

bool direct_convolution_fits(const ConvGeometry& g) {
  return g.groups == 1 && std::min(g.c, g.oc) <= kFewChannels;
}

// One run: the operands, and the weights in the order in which they are read.
struct DirectConvolution::Call {
  const float* source;
  const float* weights;
  const float* bias;
  Activation activation;
  float* target;
  int64_t tap_floats;  // between weights of taps
};

// The lines of one band, in the thread's scratch memory.
struct DirectConvolution::Lists {
  DirectLine* lines;
  DirectRow* rows;

  static int64_t floats(int64_t rows) {
    return round_up(static_cast<int64_t>((kLines * sizeof(DirectLine) + static_cast<size_t>(rows) * sizeof(DirectRow)) / sizeof(float)), 16);
  }
  Lists(float* memory) : lines(reinterpret_cast<DirectLine*>(memory)), rows(reinterpret_cast<DirectRow*>(lines + kLines)) {}
};

DirectConvolution::DirectConvolution(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      direction_(direction),
      d_(direction == Direction::forward ? forward_axis(geometry.d) : gradient_axis(geometry.d)),
      h_(direction == Direction::forward ? forward_axis(geometry.h) : gradient_axis(geometry.h)),
      w_(direction == Direction::forward ? forward_axis(geometry.w) : gradient_axis(geometry.w)),
      stretches_(stretches_of(w_)),
      source_c_(direction == Direction::forward ? geometry.c : geometry.oc),
      target_c_(direction == Direction::forward ? geometry.oc : geometry.c),
      spread_(source_c_ <= kFewChannels && source_c_ <= target_c_ ? Spread::broadcast : Spread::dot),
      planes_(spread_ == Spread::dot ? 1 : source_c_) {}

// HWIO has the channels of the forward target last, and those of the gradient's source.
bool DirectConvolution::packs() const {
  return direction_ == Direction::forward ? spread_ == Spread::dot : spread_ == Spread::broadcast && source_c_ * target_c_ > 1;
}

// packed[tap][j][c] = the weight between input channel c and filter j.
void DirectConvolution::pack(const float* weights, float* packed) const {
  const int64_t c = geometry_.c, oc = geometry_.oc;
  parallel_blocks(geometry_.taps(), std::max<int64_t>(1, kElementGrain / (c * oc)), [&](int64_t begin, int64_t end) {
    for (int64_t tap = begin; tap < end; ++tap) {
      const float* from = weights + tap * c * oc;
      float* to = packed + tap * c * oc;
      for (int64_t j = 0; j < oc; ++j) {
        for (int64_t i = 0; i < c; ++i) *to++ = from[i * oc + j];
      }
    }
  });
}

int64_t DirectConvolution::list_rows() const { return kLines * d_.taps() * h_.taps() * planes_; }

void DirectConvolution::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target,
                            float* scratch) const {
  n = geometry_.batch.of(n);
  if (packs()) {
    pack(weights, scratch);
    weights = scratch;
  }
  const Call call{source, weights, bias, activation, target, geometry_.c * geometry_.oc};
  const int64_t items = n * d_.target * h_.phases() * divide_up(h_.positions(0), kLines);
  const int64_t chunks = std::min(items, chunks_for(geometry_.work(n)));
  parallel_with_scratch(chunks, Lists::floats(list_rows()), [&](int64_t chunk, float* memory) {
    Lists lists(memory);
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, item, lists);
  });
}

// Item: image, depth, lines of the target, phase of their height.
void DirectConvolution::run_band(const Call& call, int64_t item, Lists& lists) const {
  const int64_t blocks = divide_up(h_.positions(0), kLines);
  const int64_t phase_h = item % h_.phases(), first_h = item / h_.phases() % blocks * kLines;
  const int64_t to_d = item / h_.phases() / blocks % d_.target, image = item / h_.phases() / blocks / d_.target;
  const int64_t phase_d = to_d % d_.target_stride, at_d = to_d / d_.target_stride;
  const int64_t line_count = std::min(kLines, h_.positions(phase_h) - first_h);
  if (line_count <= 0) return;

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
        const float* x = call.source + number * w_.source * source_c_;
        const float* w = call.weights + (d_.kernel[td] * geometry_.h.kernel + h_.kernel[th]) * geometry_.w.kernel * call.tap_floats;
        for (int64_t plane = 0; plane < planes_; ++plane) *rows++ = {x + plane, w + plane * target_c_};
      }
    }
    line.row_count = rows - line.rows;
  }

  DirectArgs args{};
  args.lines = lists.lines;
  args.line_count = line_count;
  args.step = w_.source_stride * source_c_;
  args.ldy = w_.target_stride * target_c_;
  args.channels = spread_ == Spread::dot ? source_c_ : target_c_;
  args.targets = target_c_;
  args.bias = call.bias;
  args.activation = call.activation;
  args.spread = spread_;
  for (const Stretch& s : stretches_) {
    args.columns = s.columns;
    args.taps = s.taps;
    args.y_offset = (s.phase + s.first * w_.target_stride) * target_c_;
    args.x_offset = s.taps > 0 ? (s.first * w_.source_stride + w_.offset[s.first_tap]) * source_c_ : 0;
    args.w_offset = s.taps > 0 ? w_.kernel[s.first_tap] * call.tap_floats : 0;
    const bool several = s.taps > 1;
    args.reach = several ? (w_.offset[s.first_tap + 1] - w_.offset[s.first_tap]) * source_c_ : 0;
    args.ldw = several ? (w_.kernel[s.first_tap + 1] - w_.kernel[s.first_tap]) * call.tap_floats : 0;
    kernels().direct_convolution(args);
  }
}

}  // namespace convlane
