// SPDX-License-Identifier: MIT
#include "few_dots.h"

#include <cstring>

namespace convlane {

namespace {

constexpr double kMostStretches = 1 << 16;  // of all regions
constexpr int64_t kMostStride = 8;
constexpr double kReduction = 8;  // of a sum's lanes, in multiply-adds
constexpr double kGather = 1.1;   // what products of all terms take with what gathers them

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -divide_up(-a, b); }

// Taps that a position of the few with this remainder has, at most.
int64_t taps_of_phase(const Axis& axis, int64_t phase) {
  int64_t count = 0;
  for (int64_t k = 0; k < axis.kernel; ++k) count += (phase - k * axis.dilation) % axis.stride == 0;
  return count;
}

// Runs of an axis at most, about: of each phase its inner positions, and one for each at either end that not all taps reach.
double runs_at_most(const Axis& axis) {
  const int64_t before = (axis.extent() - 1 - axis.before) / axis.stride, after = (axis.in - 1 + axis.before) / axis.stride + 1 - axis.out;
  return static_cast<double>(axis.stride) * static_cast<double>(2 * std::max({before, after, int64_t{0}}) + 3);
}

}  // namespace

struct FewDots::Call {
  const float* many;
  const float* packed;
  float* few;
};

double FewDots::cost(const ConvGeometry& geometry) {
  const ConvGeometry g = FewChannels(geometry).g;
  const bool neighbours = g.w.dilation == 1;
  const double c = static_cast<double>(g.c);
  double total = 0;
  for (int64_t phase = 0; phase < g.w.stride; ++phase) {
    const int64_t taps = taps_of_phase(g.w, phase), width = kernels().width;
    const int64_t vectors = neighbours ? divide_up(taps * g.oc, width) : taps * divide_up(g.oc, width);
    total += static_cast<double>(g.h.kernel * vectors) / static_cast<double>(g.h.stride) + kReduction;
  }
  return static_cast<double>(g.in_pixels()) / static_cast<double>(g.w.stride) * c * total;
}

bool FewDots::pays(const ConvGeometry& geometry) {
  if (!ManyToFew::fits(geometry)) return false;
  const ConvGeometry g = FewChannels(geometry).g;
  if (std::max(g.h.stride, g.w.stride) > kMostStride) return false;
  const double rows = static_cast<double>(g.h.kernel) * static_cast<double>(g.w.dilation == 1 ? 1 : g.w.kernel);
  return runs_at_most(g.h) * runs_at_most(g.w) * rows <= kMostStretches && cost(geometry) < kGather * ManyToFew(geometry).cost();
}

FewDots::FewDots(const ConvGeometry& geometry) : view_(geometry), h_(runs_of(view_.g.h)), w_(runs_of(view_.g.w)) {
  const ConvGeometry& g = view_.g;
  int64_t most = 0;
  for (int64_t phase = 0; phase < g.w.stride; ++phase) most = std::max(most, taps_of_phase(g.w, phase));
  row_floats_ = round_up(most * g.oc, 16);
  for (size_t h = 0; h < h_.size(); ++h) {
    for (size_t w = 0; w < w_.size(); ++w) {
      Region region{static_cast<int64_t>(h), static_cast<int64_t>(w), 0, {}};
      const std::vector<Tap>& taps = w_[w].taps;
      for (const Tap& row : h_[h].taps) {
        const int64_t weights = (row.k * g.w.stride + w_[w].phase) * g.c * row_floats_;
        for (size_t i = 0; i < taps.size(); ++i) {
          const int64_t at = (row.distance * g.w.out + taps[i].distance) * g.oc;
          if (i > 0 && taps[i].distance == taps[i - 1].distance + 1) {
            region.stretches.back().length += g.oc;
            continue;
          }
          if (region.stretches.empty()) region.origin = at;
          region.stretches.push_back({at - region.origin, weights + taps[i].number * g.oc, g.oc});
        }
      }
      regions_.push_back(std::move(region));
    }
  }
}

// Position p of the few belongs to phase (p + before) mod stride.
std::vector<FewDots::Run> FewDots::runs_of(const Axis& axis) {
  std::vector<Run> runs;
  for (int64_t phase = 0; phase < axis.stride; ++phase) {
    std::vector<Tap> all;
    for (int64_t k = axis.kernel - 1; k >= 0; --k) {
      const int64_t distance = phase - k * axis.dilation;
      if (distance % axis.stride == 0) all.push_back({k, distance / axis.stride, static_cast<int64_t>(all.size())});
    }
    const int64_t first = -floor_divide(phase - axis.before, axis.stride), last = floor_divide(axis.in - 1 + axis.before - phase, axis.stride) + 1;
    const auto reaching = [&](int64_t i) {
      std::vector<Tap> taps;
      for (const Tap& tap : all) {
        if (inside(i + tap.distance, axis.out)) taps.push_back(tap);
      }
      return taps;
    };
    // Between these all taps reach.
    const int64_t inner = all.empty() ? first : std::clamp(-all.front().distance, first, std::max(first, last));
    const int64_t outer = all.empty() ? last : std::clamp(axis.out - all.back().distance, inner, std::max(inner, last));
    for (int64_t i = first; i < inner; ++i) runs.push_back({phase, i, i + 1, reaching(i)});
    if (inner < outer) runs.push_back({phase, inner, outer, all});
    for (int64_t i = outer; i < last; ++i) runs.push_back({phase, i, i + 1, reaching(i)});
  }
  return runs;
}

int64_t FewDots::scratch_floats(int64_t) const {
  const ConvGeometry& g = view_.g;
  return round_up(g.weights(), 16) + round_up(packed_floats(), 16) + g.w.in * g.c;
}

// Of each row of taps, phase and channel: the weights of the taps of that phase, the last one first, as the many's pixels lie.
void FewDots::pack(const float* terms, float* packed) const {
  const ConvGeometry& g = view_.g;
  for (int64_t h = 0; h < g.h.kernel; ++h) {
    for (int64_t phase = 0; phase < g.w.stride; ++phase) {
      for (int64_t c = 0; c < g.c; ++c, packed += row_floats_) {
        float* to = packed;
        for (int64_t k = g.w.kernel - 1; k >= 0; --k) {
          if ((phase - k * g.w.dilation) % g.w.stride != 0) continue;
          std::memcpy(to, terms + ((h * g.w.kernel + k) * g.c + c) * g.oc, static_cast<size_t>(g.oc) * sizeof(float));
          to += g.oc;
        }
      }
    }
  }
}

void FewDots::run(int64_t n, const float* many, const float* weights, const float* bias, Activation activation, float* few, float* scratch) const {
  const ConvGeometry& g = view_.g;
  n = g.batch.of(n);
  if (view_.mirrored) {
    view_.to_terms(weights, scratch);
    weights = scratch;
  }
  float* const packed = scratch + round_up(g.weights(), 16);
  pack(weights, packed);
  const int64_t width = g.w.in * g.c;
  float* const line = packed + round_up(packed_floats(), 16);
  if (bias != nullptr) {
    for (int64_t i = 0; i < width; ++i) line[i] = bias[i % g.c];
  }
  const Call call{many, packed, few};
  const int64_t lines = n * g.d.in * g.h.in, chunks = std::min(lines, chunks_for(g.work(n)));
  const auto body = [&](int64_t chunk, int64_t) {
    const int64_t last = (chunk + 1) * lines / chunks;
    for (int64_t at = chunk * lines / chunks; at < last;) {
      const int64_t image = at / g.h.in, begin = at % g.h.in, end = std::min(g.h.in, begin + last - at);
      for (const Region& region : regions_) add_region(call, region, image, begin, end);
      float* const to = few + at * width;
      if (bias != nullptr) {
        for (int64_t h = 0; h < end - begin; ++h) kernels().add(to + h * width, line, to + h * width, width, activation);
      } else if (activation != Activation::linear) {
        kernels().activate(activation, to, to, (end - begin) * width);
      }
      at += end - begin;
    }
  };
  parallel_blocks(chunks, 1, body);
}

// What of a region lies in lines begin .. end-1 of an image: along lines, or across them where it is narrow.
void FewDots::add_region(const Call& call, const Region& region, int64_t image, int64_t begin, int64_t end) const {
  const ConvGeometry& g = view_.g;
  const Run &h = h_[static_cast<size_t>(region.h)], &w = w_[static_cast<size_t>(region.w)];
  const int64_t first = std::max(h.first, -floor_divide(h.phase - g.h.before - begin, g.h.stride));
  const int64_t last = std::min(h.last, floor_divide(end - 1 + g.h.before - h.phase, g.h.stride) + 1);
  if (first >= last) return;
  const int64_t line = g.w.out * g.oc, few_line = g.w.in * g.c;
  const int64_t origin = region.stretches.empty() ? 0 : first * line + w.first * g.oc + region.origin;
  const float* from = call.many + image * g.h.out * line + origin;
  float* to = call.few + ((image * g.h.in + first * g.h.stride + h.phase - g.h.before) * g.w.in + w.first * g.w.stride + w.phase - g.w.before) * g.c;
  FewDotsArgs args{};
  args.stretches = region.stretches.data();
  args.stretch_count = static_cast<int64_t>(region.stretches.size());
  args.w = call.packed;
  args.w_step = row_floats_;
  args.channels = static_cast<int32_t>(g.c);
  const int64_t rows = last - first, columns = w.last - w.first;
  const bool across = columns < rows;
  // Along lines: the row of the many that the next line of this phase reads first.
  args.ahead = across || region.stretches.empty() ? 0 : region.stretches.back().at + line;
  args.pixel = across ? line : g.oc;
  args.y_step = across ? g.h.stride * few_line : g.w.stride * g.c;
  args.count = across ? rows : columns;
  for (int64_t i = 0; i < (across ? columns : rows); ++i) {
    args.x = from + i * (across ? g.oc : line);
    args.y = to + i * (across ? g.w.stride * g.c : g.h.stride * few_line);
    kernels().few_dots(args);
  }
}

}  // namespace convlane
