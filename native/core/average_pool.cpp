// SPDX-License-Identifier: MIT
#include "ops.h"
#include "pool.h"

namespace convlane {

namespace {

// One over the number of positions that window (d, h, w) averages.
float window_scale(const PoolGeometry& g, bool count_padding, int64_t d, int64_t h, int64_t w) {
  auto count = [&](const Axis& axis, int64_t o) {
    if (!count_padding) return taps_inside(axis, o).count();
    // Taps never lie before the padding; `ceil` sizes may put some beyond it.
    Axis padded = axis;
    padded.before = 0;
    return taps_inside(padded, o, axis.in + axis.before + axis.after).count();
  };
  return static_cast<float>(1.0 / (static_cast<double>(count(g.d, d)) * static_cast<double>(count(g.h, h)) * static_cast<double>(count(g.w, w))));
}

class AveragePool : public Step {
 public:
  explicit AveragePool(const StepSpec& spec)
      : geometry_(pool_geometry(spec, "x", "y")), x_(spec.operand("x")), y_(spec.operand("y")), count_padding_(spec.flag("countPadding", false)) {}

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    const int64_t floats = divide_up(g.most_taps() * static_cast<int64_t>(sizeof(float*)), sizeof(float));
    const int64_t images = g.batch.of(context.n), moved = images * (g.in_elements() + g.out_elements());
    const bool stream = goes_past_caches(moved, g.c, y);
    for_pool_rows(images, g.d.out, g.h.out, moved / (images * g.d.out * g.h.out), floats, stream, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** taps = reinterpret_cast<const float**>(memory);
      const TapRange depths = taps_inside(g.d, row.d), heights = taps_inside(g.h, row.h);
      PoolAverageArgs args{taps, 0, 0, y + number * g.w.out * g.c, g.c};
      for_window_runs(g.w, [&](int64_t w, int64_t count) {
        const TapRange widths = taps_inside(g.w, w);
        args.tap_count = 0;
        for (int64_t kd = depths.first; kd < depths.last; ++kd) {
          for (int64_t kh = heights.first; kh < heights.last; ++kh) {
            const float* from = x + ((row.n * g.d.in + g.d.source(row.d, kd)) * g.h.in + g.h.source(row.h, kh)) * g.w.in * g.c;
            for (int64_t kw = widths.first; kw < widths.last; ++kw) taps[args.tap_count++] = from + g.w.source(w, kw) * g.c;
          }
        }
        args.scale = window_scale(g, count_padding_, row.d, row.h, w);
        args.run = {count, g.w.stride * g.c, stream};
        kernels().pool_average(args);
        args.y += count * g.c;
      });
    });
  }

 private:
  PoolGeometry geometry_;
  Operand x_, y_;
  bool count_padding_;
};

class AveragePoolBackward : public Step {
 public:
  explicit AveragePoolBackward(const StepSpec& spec)
      : geometry_(pool_geometry(spec, "dx", "dy")), dy_(spec.operand("dy")), dx_(spec.operand("dx")), count_padding_(spec.flag("countPadding", false)) {}

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* dy = context.at(dy_);
    float* dx = context.at(dx_);
    const int64_t floats = divide_up(g.most_windows() * static_cast<int64_t>(sizeof(float*) + sizeof(float)), sizeof(float));
    const int64_t images = g.batch.of(context.n), moved = images * (g.in_elements() + g.out_elements());
    const bool stream = goes_past_caches(moved, g.c, dx);
    for_pool_rows(images, g.d.in, g.h.in, moved / (images * g.d.in * g.h.in), floats, stream, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** gradients = reinterpret_cast<const float**>(memory);
      float* scales = reinterpret_cast<float*>(gradients + g.most_windows());
      const WindowRange depths = windows_over(g.d, row.d), heights = windows_over(g.h, row.h);
      WeightedSumArgs args{gradients, scales, 0, nullptr, g.c};
      for_pixel_runs(g.w, windows_inside(g.w), [&](int64_t w, int64_t count) {
        const WindowRange widths = windows_over(g.w, w);
        args.count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          if (which_tap(g.d, row.d, d) < 0) continue;
          for (int64_t h = heights.first; h < heights.last; ++h) {
            if (which_tap(g.h, row.h, h) < 0) continue;
            for (int64_t o = widths.first; o < widths.last; ++o) {
              if (which_tap(g.w, w, o) < 0) continue;
              gradients[args.count] = dy + (((row.n * g.d.out + d) * g.h.out + h) * g.w.out + o) * g.c;
              scales[args.count++] = window_scale(g, count_padding_, d, h, o);
            }
          }
        }
        args.out = dx + (number * g.w.in + w) * g.c;
        args.run = {count, g.w.stride * g.c, stream};
        kernels().weighted_sum(args);
      });
    });
  }

 private:
  PoolGeometry geometry_;
  Operand dy_, dx_;
  bool count_padding_;
};

}  // namespace

StepPointer make_average_pool(const StepSpec& spec) { return std::make_unique<AveragePool>(spec); }
StepPointer make_average_pool_backward(const StepSpec& spec) { return std::make_unique<AveragePoolBackward>(spec); }

}  // namespace convlane
