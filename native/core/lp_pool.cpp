// SPDX-License-Identifier: MIT
#include "ops.h"
#include "pool.h"

namespace convlane {

namespace {

constexpr double kLargestPower = 64;

float power_of(const StepSpec& spec) { return static_cast<float>(number_between(spec, "p", 1, kLargestPower)); }

class LpPool : public Step {
 public:
  explicit LpPool(const StepSpec& spec) : geometry_(pool_geometry(spec, "x", "y")), x_(spec.operand("x")), y_(spec.operand("y")), p_(power_of(spec)) {}

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    const int64_t floats = divide_up(g.most_taps() * static_cast<int64_t>(sizeof(float*)), sizeof(float));
    for_pool_rows(g.batch.of(context.n), g.d.out, g.h.out, g.w.out * g.c, floats, false, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** taps = reinterpret_cast<const float**>(memory);
      const TapRange depths = taps_inside(g.d, row.d), heights = taps_inside(g.h, row.h);
      PoolLpArgs args{taps, 0, p_, y + number * g.w.out * g.c, g.c};
      for (int64_t w = 0; w < g.w.out; ++w, args.y += g.c) {
        const TapRange widths = taps_inside(g.w, w);
        args.tap_count = 0;
        for (int64_t kd = depths.first; kd < depths.last; ++kd) {
          for (int64_t kh = heights.first; kh < heights.last; ++kh) {
            const float* from = x + ((row.n * g.d.in + g.d.source(row.d, kd)) * g.h.in + g.h.source(row.h, kh)) * g.w.in * g.c;
            for (int64_t kw = widths.first; kw < widths.last; ++kw) taps[args.tap_count++] = from + g.w.source(w, kw) * g.c;
          }
        }
        kernels().pool_lp(args);
      }
    });
  }

 private:
  PoolGeometry geometry_;
  Operand x_, y_;
  float p_;
};

class LpPoolBackward : public Step {
 public:
  explicit LpPoolBackward(const StepSpec& spec)
      : geometry_(pool_geometry(spec, "dx", "dy")), dy_(spec.operand("dy")), x_(tensor(spec, "x")), y_(tensor(spec, "y")), dx_(spec.operand("dx")), p_(power_of(spec)) {
    same_shape(spec, "x", x_, "dx", dx_);
    same_shape(spec, "y", y_, "dy", dy_);
  }

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* dy = context.at(dy_);
    const float* x = context.at(x_);
    const float* y = context.at(y_);
    float* dx = context.at(dx_);
    const int64_t floats = divide_up(g.most_windows() * static_cast<int64_t>(2 * sizeof(float*)), sizeof(float));
    for_pool_rows(g.batch.of(context.n), g.d.in, g.h.in, g.w.in * g.c, floats, false, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** gradients = reinterpret_cast<const float**>(memory);
      const float** results = gradients + g.most_windows();
      const WindowRange depths = windows_over(g.d, row.d), heights = windows_over(g.h, row.h);
      PoolLpBackwardArgs args{x + number * g.w.in * g.c, gradients, results, 0, p_, dx + number * g.w.in * g.c, g.c};
      for (int64_t w = 0; w < g.w.in; ++w, args.x += g.c, args.dx += g.c) {
        const WindowRange widths = windows_over(g.w, w);
        args.window_count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          if (which_tap(g.d, row.d, d) < 0) continue;
          for (int64_t h = heights.first; h < heights.last; ++h) {
            if (which_tap(g.h, row.h, h) < 0) continue;
            for (int64_t o = widths.first; o < widths.last; ++o) {
              if (which_tap(g.w, w, o) < 0) continue;
              const int64_t at = (((row.n * g.d.out + d) * g.h.out + h) * g.w.out + o) * g.c;
              gradients[args.window_count] = dy + at;
              results[args.window_count++] = y + at;
            }
          }
        }
        kernels().pool_lp_backward(args);
      }
    });
  }

 private:
  PoolGeometry geometry_;
  Operand dy_, x_, y_, dx_;
  float p_;
};

}  // namespace

StepPointer make_lp_pool(const StepSpec& spec) { return std::make_unique<LpPool>(spec); }
StepPointer make_lp_pool_backward(const StepSpec& spec) { return std::make_unique<LpPoolBackward>(spec); }

}  // namespace convlane
