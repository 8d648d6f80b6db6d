// SPDX-License-Identifier: MIT
#include "grouped_convolution.h"

#include "stream.h"

namespace convlane {

namespace {

constexpr int64_t kLines = 2;             // of the target, of one phase, computed together: what they share of the source is near
constexpr int64_t kFarFloats = 1 << 20;   // of source and target: more aren't in the second cache, and what comes next is fetched

int64_t list_floats(int64_t rows) { return round_up(rows * static_cast<int64_t>(sizeof(GroupedRow) / sizeof(float)), 16); }

}  // namespace

// One run. A part is a stretch of the vectors of targets.
struct GroupedConvolution::Call {
  const float* source;
  const float* weights;
  const float* bias;
  Activation activation;
  float* target;
  bool fetches, streams;
  int64_t bands, parts;
};

GroupedConvolution::GroupedConvolution(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      d_(axis_of(geometry.d, direction)),
      h_(axis_of(geometry.h, direction)),
      packing_(geometry, direction),
      source_c_(direction == Direction::forward ? geometry.c : geometry.oc),
      target_c_(direction == Direction::forward ? geometry.oc : geometry.c) {}

void GroupedConvolution::run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch,
                             const float* prepared) const {
  n = geometry_.batch.of(n);
  if (prepared == nullptr) packing_.pack(weights, scratch);
  const LineGroups groups(d_, h_, geometry_.h.kernel, kLines);
  const int64_t bands = groups.count(n), wanted = chunks_for(geometry_.work(n));
  const int64_t floats = n * (geometry_.in_pixels() * geometry_.c + geometry_.out_pixels() * geometry_.oc), width = kernels().width;
  const bool at_once = activation == Activation::linear || activation == Activation::relu;
  const GroupLanes& lanes = packing_.lanes();
  const bool whole = width == 16 && (lanes.together > 1 ? lanes.together * lanes.to == width : lanes.to % width == 0);  // vectors, that are lines of a cache
  const Call call{source, prepared != nullptr ? prepared : scratch, bias, activation, target, floats >= kFarFloats,
                  at_once && whole && goes_past_caches(floats, target_c_, target), bands,
                  std::min(vector_count(lanes), divide_up(wanted, bands))};
  const int64_t items = bands * call.parts, chunks = std::min(items, wanted);
  const int64_t rows = kLines * d_.taps() * h_.taps() * packing_.block_count();
  parallel_with_scratch(chunks, list_floats(rows), [&](int64_t chunk, float* memory) {
    const int64_t last = (chunk + 1) * items / chunks;
    for (int64_t item = chunk * items / chunks; item < last; ++item) run_band(call, groups, item, memory);
    if (call.streams) kernels().stream_fence();
  });
}

// Item: part, group of lines.
void GroupedConvolution::run_band(const Call& call, const LineGroups& groups, int64_t item, float* memory) const {
  const GroupLanes& lanes = packing_.lanes();
  const int64_t part = item / call.bands;
  const LineGroups::Group group = groups[item % call.bands];
  if (group.lines == 0) return;
  const int64_t source_line = packing_.source() * source_c_, target_line = packing_.target() * target_c_;

  GroupedArgs args{};
  args.lanes = &lanes;
  args.first_vector = part * vector_count(lanes) / call.parts;
  args.last_vector = (part + 1) * vector_count(lanes) / call.parts;
  args.w_vector = packing_.vector_floats();
  args.line_count = group.lines;
  args.taps = packing_.taps();
  args.step = packing_.step();
  args.pairs = packing_.pairs();
  args.x_step = source_c_;
  args.source = packing_.source();
  args.before = geometry_.w.before;
  args.y_step = packing_.target_step() * target_c_;
  args.bias = call.bias;
  args.activation = call.activation;
  args.streams = call.streams;
  GroupedLine lines[kLines];
  args.lines = lines;
  for (int64_t pass = 0; pass < packing_.passes(); ++pass) {
    GroupedRow* rows = reinterpret_cast<GroupedRow*>(memory);
    args.target = packing_.positions(pass);
    for (int64_t l = 0; l < group.lines; ++l) {
      float* y = call.target + groups.target_line(group, l) * target_line + pass * target_c_;
      const int64_t next = std::clamp<int64_t>((group.first_h + l + kLines) * h_.source_stride, 0, h_.source - 1);
      const int64_t plane = group.image * d_.source + std::min(group.at_d * d_.source_stride, d_.source - 1);
      lines[l] = {rows, 0, y, call.source + (plane * h_.source + next) * source_line};
      groups.each_row(group, l, [&](int64_t from, int64_t row) {
        for (int64_t b = packing_.first_block(pass); b < packing_.first_block(pass + 1); ++b) {
          *rows++ = {call.source + from * source_line, call.weights + row * packing_.row_floats() + packing_.block(b).at, packing_.block(b).offset};
        }
      });
      lines[l].row_count = rows - lines[l].rows;
    }
    if (call.fetches && pass + 1 == packing_.passes()) {
      args.ahead = group.phase_h + 1 < h_.phases() ? 0 : std::min(h_.source_stride, int64_t{2});
      args.ahead_line = source_line;
      args.y_ahead = kLines * h_.target_stride * target_line;
    }
    kernels().grouped_convolution(args);
  }
}

}  // namespace convlane
