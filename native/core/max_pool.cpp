// SPDX-License-Identifier: MIT
#include "ops.h"
#include "pool.h"

namespace convlane {

namespace {

constexpr int64_t kTapBytes = sizeof(float*) + sizeof(int32_t);
constexpr int64_t kWindowBytes = 2 * sizeof(float*) + sizeof(int32_t);

class MaxPool : public Step {
 public:
  explicit MaxPool(const StepSpec& spec) : geometry_(pool_geometry(spec, "x", "y")), x_(spec.operand("x")), y_(spec.operand("y")) {
    if (const Operand* positions = optional_tensor(spec, "positions", -1, Dtype::int32)) {
      same_shape(spec, "positions", *positions, "y", y_);
      positions_ = *positions;
      has_positions_ = true;
    }
  }

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    int32_t* positions = has_positions_ ? context.at<int32_t>(positions_) : nullptr;
    const int64_t floats = divide_up(g.most_taps() * kTapBytes, sizeof(float));
    const int64_t images = g.batch.of(context.n), moved = images * (g.in_elements() + (positions == nullptr ? 1 : 2) * g.out_elements());
    const bool stream = goes_past_caches(moved, g.c, y) && goes_past_caches(moved, g.c, positions);
    // Where windows overlap, the rows that the next ones add follow others that are cached: the processor doesn't see them coming.
    const bool fetches = stream && g.h.extent() > g.h.stride;
    for_pool_rows(images, g.d.out, g.h.out, moved / (images * g.d.out * g.h.out), floats, stream, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** taps = reinterpret_cast<const float**>(memory);
      int32_t* ids = reinterpret_cast<int32_t*>(taps + g.most_taps());
      const TapRange depths = taps_inside(g.d, row.d), heights = taps_inside(g.h, row.h);
      PoolMaxArgs args{taps, ids, 0, y + number * g.w.out * g.c, positions == nullptr ? nullptr : positions + number * g.w.out * g.c, g.c};
      for_window_runs(g.w, [&](int64_t w, int64_t count) {
        const TapRange widths = taps_inside(g.w, w);
        args.tap_count = 0;
        for (int64_t kd = depths.first; kd < depths.last; ++kd) {
          for (int64_t kh = heights.first; kh < heights.last; ++kh) {
            const float* from = x + ((row.n * g.d.in + g.d.source(row.d, kd)) * g.h.in + g.h.source(row.h, kh)) * g.w.in * g.c;
            for (int64_t kw = widths.first; kw < widths.last; ++kw) {
              taps[args.tap_count] = from + g.w.source(w, kw) * g.c;
              ids[args.tap_count++] = static_cast<int32_t>((kd * g.h.kernel + kh) * g.w.kernel + kw);
            }
          }
        }
        args.run = {count, g.w.stride * g.c, stream};
        if (fetches && row.h + 1 < g.h.out) {
          args.run.ahead = taps[args.tap_count - 1] + (g.w.in - g.w.extent() + 1) * g.c;
          args.run.ahead_step = g.h.stride * g.w.stride * g.c;
        }
        kernels().pool_max(args);
        args.y += count * g.c;
        if (args.positions != nullptr) args.positions += count * g.c;
      });
    });
  }

 private:
  PoolGeometry geometry_;
  Operand x_, y_, positions_;
  bool has_positions_ = false;
};

class MaxPoolBackward : public Step {
 public:
  explicit MaxPoolBackward(const StepSpec& spec)
      : geometry_(pool_geometry(spec, "dx", "dy")), dy_(spec.operand("dy")), positions_(tensor(spec, "positions", -1, Dtype::int32)), dx_(spec.operand("dx")) {
    same_shape(spec, "positions", positions_, "dy", dy_);
  }

  void run(const RunContext& context) const override {
    const PoolGeometry& g = geometry_;
    const float* dy = context.at(dy_);
    const int32_t* positions = context.at<int32_t>(positions_);
    float* dx = context.at(dx_);
    const int64_t floats = divide_up(g.most_windows() * kWindowBytes, sizeof(float));
    const int64_t images = g.batch.of(context.n), moved = images * (g.in_elements() + 2 * g.out_elements());
    const bool stream = goes_past_caches(moved, g.c, dx);
    for_pool_rows(images, g.d.in, g.h.in, moved / (images * g.d.in * g.h.in), floats, stream, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** gradients = reinterpret_cast<const float**>(memory);
      const int32_t** chosen = reinterpret_cast<const int32_t**>(gradients + g.most_windows());
      int32_t* ids = reinterpret_cast<int32_t*>(chosen + g.most_windows());
      const WindowRange depths = windows_over(g.d, row.d), heights = windows_over(g.h, row.h);
      PoolMaxBackwardArgs args{gradients, chosen, ids, 0, nullptr, g.c};
      for_pixel_runs(g.w, {0, g.w.out}, [&](int64_t w, int64_t count) {
        const WindowRange widths = windows_over(g.w, w);
        args.window_count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          const int64_t kd = which_tap(g.d, row.d, d);
          for (int64_t h = heights.first; kd >= 0 && h < heights.last; ++h) {
            const int64_t kh = which_tap(g.h, row.h, h);
            for (int64_t o = widths.first; kh >= 0 && o < widths.last; ++o) {
              const int64_t kw = which_tap(g.w, w, o);
              if (kw < 0) continue;
              const int64_t at = (((row.n * g.d.out + d) * g.h.out + h) * g.w.out + o) * g.c;
              gradients[args.window_count] = dy + at;
              chosen[args.window_count] = positions + at;
              ids[args.window_count++] = static_cast<int32_t>((kd * g.h.kernel + kh) * g.w.kernel + kw);
            }
          }
        }
        args.dx = dx + (number * g.w.in + w) * g.c;
        args.run = {count, g.w.stride * g.c, stream};
        kernels().pool_max_backward(args);
      });
    });
  }

 private:
  PoolGeometry geometry_;
  Operand dy_, positions_, dx_;
};

}  // namespace

StepPointer make_max_pool(const StepSpec& spec) { return std::make_unique<MaxPool>(spec); }
StepPointer make_max_pool_backward(const StepSpec& spec) { return std::make_unique<MaxPoolBackward>(spec); }

}  // namespace convlane
