// SPDX-License-Identifier: MIT
// Images of other sizes, by interpolation with half-pixel centres: output pixel o of `out` lies at (o + 1/2) · in / out - 1/2 of the input.
#include "ops.h"
#include "pool.h"

namespace convlane {

namespace {

// What one output pixel reads along an axis: `count` input pixels from `first` on, never one of weight 0.
struct Taps {
  int64_t first;
  int64_t count;
  double weight[2];
};

class ResizeAxis {
 public:
  int64_t in = 1, out = 1;

  ResizeAxis() : ResizeAxis(1, 1, false) {}
  ResizeAxis(int64_t in_size, int64_t out_size, bool linear) : in(in_size), out(out_size), linear_(linear), places_(static_cast<size_t>(out_size)) {
    const int64_t unit = 2 * out;  // of the numbers below: a pixel of the input
    for (int64_t o = 0; o < out; ++o) {
      const int64_t centre = (2 * o + 1) * in;
      const int64_t at = linear ? std::clamp(centre - out, int64_t{0}, (in - 1) * unit) : centre;
      places_[static_cast<size_t>(o)] = {static_cast<int32_t>(at / unit), linear ? static_cast<double>(at % unit) / static_cast<double>(unit) : 0.0};
    }
  }

  Taps of(int64_t o) const {
    const Place& place = places_[static_cast<size_t>(o)];
    return {place.first, place.share == 0 ? 1 : 2, {1 - place.share, place.share}};
  }
  // Output pixels that may read input pixel i, and the weight with which one does.
  WindowRange over(int64_t i) const {
    if (!linear_) return {first_at(2 * i), first_at(2 * i + 2)};
    return {i == 0 ? 0 : first_at(2 * i - 1), i == in - 1 ? out : first_at(2 * i + 3)};
  }
  double weight(int64_t o, int64_t i) const {
    const Taps taps = of(o);
    const int64_t tap = i - taps.first;
    return tap >= 0 && tap < taps.count ? taps.weight[tap] : 0;
  }
  // At most so many are in over(i).
  int64_t most_over() const { return std::min(out, 2 * divide_up(out, in) + 2); }

 private:
  struct Place {
    int32_t first;
    double share;  // of the pixel behind the first
  };

  // The first output pixel whose centre is not before `halves` half pixels of the input.
  int64_t first_at(int64_t halves) const { return std::clamp(divide_up(std::max(halves * out - in, int64_t{0}), 2 * in), int64_t{0}, out); }

  bool linear_;
  std::vector<Place> places_;
};

struct ResizeGeometry {
  Batch batch;
  ResizeAxis d, h, w;
  int64_t c = 1;

  ResizeGeometry(const StepSpec& spec, const char* x_name, const char* y_name) {
    constexpr int64_t kMaxSize = (int64_t{1} << 30) - 1;  // so that products of two sizes fit
    const int32_t axes = spatial_axes(spec);
    const Operand& x = tensor(spec, x_name, axes + 2);
    const Operand& y = tensor(spec, y_name, axes + 2);
    same_batch(spec, x_name, x, y_name, y);
    expect_size(spec, y_name, "channels", y.shape[axes + 1], x_name, x.shape[axes + 1]);
    const std::string interpolation = spec.string("interpolation", "linear");
    if (interpolation != "linear" && interpolation != "nearest") refuse(spec, "interpolation must be linear or nearest, got " + interpolation);
    batch = {x.shape[0], x.batched};
    c = x.shape[axes + 1];
    ResizeAxis* axis[] = {&d, &h, &w};
    int64_t most = 1;
    for (int32_t i = 0; i < axes; ++i) {
      if (x.shape[i + 1] > kMaxSize || y.shape[i + 1] > kMaxSize) refuse(spec, "a size is above 1073741823");
      *axis[3 - axes + i] = ResizeAxis(x.shape[i + 1], y.shape[i + 1], interpolation == "linear");
      most *= axis[3 - axes + i]->most_over();
      if (most > kMaxSize) refuse(spec, "a pixel is read by more than 1073741823 others");
    }
  }
};

// Pointers and weights of at most `most` rows in scratch memory.
int64_t floats_for(int64_t most) { return divide_up(most * static_cast<int64_t>(sizeof(float*) + sizeof(float)), sizeof(float)); }

class Resize : public Step {
 public:
  explicit Resize(const StepSpec& spec) : geometry_(spec, "x", "y"), x_(spec.operand("x")), y_(spec.operand("y")) {}

  void run(const RunContext& context) const override {
    const ResizeGeometry& g = geometry_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    for_pool_rows(g.batch.of(context.n), g.d.out, g.h.out, g.w.out * g.c, 0, false, [&](int64_t number, const PoolRow& row, float*) {
      const float* rows[8];
      float weights[8];
      const Taps depths = g.d.of(row.d), heights = g.h.of(row.h);
      WeightedSumArgs args{rows, weights, 0, y + number * g.w.out * g.c, g.c};
      for (int64_t o = 0; o < g.w.out; ++o, args.out += g.c) {
        const Taps widths = g.w.of(o);
        args.count = 0;
        for (int64_t d = 0; d < depths.count; ++d) {
          for (int64_t h = 0; h < heights.count; ++h) {
            const float* from = x + ((row.n * g.d.in + depths.first + d) * g.h.in + heights.first + h) * g.w.in * g.c;
            for (int64_t w = 0; w < widths.count; ++w) {
              rows[args.count] = from + (widths.first + w) * g.c;
              weights[args.count++] = static_cast<float>(depths.weight[d] * heights.weight[h] * widths.weight[w]);
            }
          }
        }
        kernels().weighted_sum(args);
      }
    });
  }

 private:
  ResizeGeometry geometry_;
  Operand x_, y_;
};

class ResizeBackward : public Step {
 public:
  explicit ResizeBackward(const StepSpec& spec) : geometry_(spec, "dx", "dy"), dy_(spec.operand("dy")), dx_(spec.operand("dx")) {}

  void run(const RunContext& context) const override {
    const ResizeGeometry& g = geometry_;
    const float* dy = context.at(dy_);
    float* dx = context.at(dx_);
    const int64_t most = g.d.most_over() * g.h.most_over() * g.w.most_over();
    for_pool_rows(g.batch.of(context.n), g.d.in, g.h.in, g.w.in * g.c, floats_for(most), false, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** rows = reinterpret_cast<const float**>(memory);
      float* weights = reinterpret_cast<float*>(rows + most);
      const WindowRange depths = g.d.over(row.d), heights = g.h.over(row.h);
      WeightedSumArgs args{rows, weights, 0, dx + number * g.w.in * g.c, g.c};
      for (int64_t i = 0; i < g.w.in; ++i, args.out += g.c) {
        const WindowRange widths = g.w.over(i);
        args.count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          const double of_depth = g.d.weight(d, row.d);
          for (int64_t h = heights.first; h < heights.last; ++h) {
            const double of_row = of_depth * g.h.weight(h, row.h);
            const float* from = dy + ((row.n * g.d.out + d) * g.h.out + h) * g.w.out * g.c;
            for (int64_t w = widths.first; w < widths.last; ++w) {
              const double weight = of_row * g.w.weight(w, i);
              if (weight == 0) continue;
              rows[args.count] = from + w * g.c;
              weights[args.count++] = static_cast<float>(weight);
            }
          }
        }
        kernels().weighted_sum(args);
      }
    });
  }

 private:
  ResizeGeometry geometry_;
  Operand dy_, dx_;
};

}  // namespace

StepPointer make_resize(const StepSpec& spec) { return std::make_unique<Resize>(spec); }
StepPointer make_resize_backward(const StepSpec& spec) { return std::make_unique<ResizeBackward>(spec); }

}  // namespace convlane
