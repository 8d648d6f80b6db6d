// SPDX-License-Identifier: MIT
// Averages over bins that divide each axis as evenly as whole pixels allow: bin o of `out` reaches from floor(o · in / out) to ceil((o + 1) · in / out).
#include "ops.h"
#include "pool.h"

namespace convlane {

namespace {

struct Bins {
  int64_t in = 1, out = 1;

  WindowRange of(int64_t o) const { return {o * in / out, divide_up((o + 1) * in, out)}; }
  int64_t size(int64_t o) const { return of(o).last - of(o).first; }
  int64_t largest() const { return std::min(in, divide_up(in, out) + 1); }
  // Bins that hold input position i.
  WindowRange over(int64_t i) const { return {i * out / in, divide_up((i + 1) * out, in)}; }
  int64_t most_over() const { return std::min(out, divide_up(out, in) + 1); }
};

struct BinGeometry {
  Batch batch;
  Bins d, h, w;
  int64_t c = 1;

  BinGeometry(const StepSpec& spec, const char* x_name, const char* y_name) {
    constexpr int64_t kMaxSize = (int64_t{1} << 31) - 1;  // so that products of two sizes fit
    const int32_t axes = spatial_axes(spec);
    const Operand& x = tensor(spec, x_name, axes + 2);
    const Operand& y = tensor(spec, y_name, axes + 2);
    same_batch(spec, x_name, x, y_name, y);
    expect_size(spec, y_name, "channels", y.shape[axes + 1], x_name, x.shape[axes + 1]);
    batch = {x.shape[0], x.batched};
    c = x.shape[axes + 1];
    Bins* bins[] = {&d, &h, &w};
    int64_t taps = 1;
    for (int32_t i = 0; i < axes; ++i) {
      Bins& axis = *bins[3 - axes + i];
      axis = {x.shape[i + 1], y.shape[i + 1]};
      if (axis.in > kMaxSize || axis.out > kMaxSize) refuse(spec, "a size is above 2147483647");
      taps *= std::max(axis.largest(), axis.most_over());
      if (taps > kMaxSize) refuse(spec, "a bin has more than 2147483647 positions");
    }
  }
  float scale(int64_t od, int64_t oh, int64_t ow) const {
    return static_cast<float>(1.0 / (static_cast<double>(d.size(od)) * static_cast<double>(h.size(oh)) * static_cast<double>(w.size(ow))));
  }
};

class AdaptiveAveragePool : public Step {
 public:
  explicit AdaptiveAveragePool(const StepSpec& spec) : geometry_(spec, "x", "y"), x_(spec.operand("x")), y_(spec.operand("y")) {}

  void run(const RunContext& context) const override {
    const BinGeometry& g = geometry_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    const int64_t most = g.d.largest() * g.h.largest() * g.w.largest();
    const int64_t floats = divide_up(most * static_cast<int64_t>(sizeof(float*)), sizeof(float));
    for_pool_rows(g.batch.of(context.n), g.d.out, g.h.out, g.w.out * g.c, floats, false, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** taps = reinterpret_cast<const float**>(memory);
      const WindowRange depths = g.d.of(row.d), heights = g.h.of(row.h);
      PoolAverageArgs args{taps, 0, 0, y + number * g.w.out * g.c, g.c};
      for (int64_t o = 0; o < g.w.out; ++o, args.y += g.c) {
        const WindowRange widths = g.w.of(o);
        args.tap_count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          for (int64_t h = heights.first; h < heights.last; ++h) {
            const float* from = x + ((row.n * g.d.in + d) * g.h.in + h) * g.w.in * g.c;
            for (int64_t w = widths.first; w < widths.last; ++w) taps[args.tap_count++] = from + w * g.c;
          }
        }
        args.scale = g.scale(row.d, row.h, o);
        kernels().pool_average(args);
      }
    });
  }

 private:
  BinGeometry geometry_;
  Operand x_, y_;
};

class AdaptiveAveragePoolBackward : public Step {
 public:
  explicit AdaptiveAveragePoolBackward(const StepSpec& spec) : geometry_(spec, "dx", "dy"), dy_(spec.operand("dy")), dx_(spec.operand("dx")) {}

  void run(const RunContext& context) const override {
    const BinGeometry& g = geometry_;
    const float* dy = context.at(dy_);
    float* dx = context.at(dx_);
    const int64_t most = g.d.most_over() * g.h.most_over() * g.w.most_over();
    const int64_t floats = divide_up(most * static_cast<int64_t>(sizeof(float*) + sizeof(float)), sizeof(float));
    for_pool_rows(g.batch.of(context.n), g.d.in, g.h.in, g.w.in * g.c, floats, false, [&](int64_t number, const PoolRow& row, float* memory) {
      const float** gradients = reinterpret_cast<const float**>(memory);
      float* scales = reinterpret_cast<float*>(gradients + most);
      const WindowRange depths = g.d.over(row.d), heights = g.h.over(row.h);
      WeightedSumArgs args{gradients, scales, 0, dx + number * g.w.in * g.c, g.c};
      for (int64_t i = 0; i < g.w.in; ++i, args.out += g.c) {
        const WindowRange widths = g.w.over(i);
        args.count = 0;
        for (int64_t d = depths.first; d < depths.last; ++d) {
          for (int64_t h = heights.first; h < heights.last; ++h) {
            for (int64_t w = widths.first; w < widths.last; ++w) {
              gradients[args.count] = dy + (((row.n * g.d.out + d) * g.h.out + h) * g.w.out + w) * g.c;
              scales[args.count++] = g.scale(d, h, w);
            }
          }
        }
        kernels().weighted_sum(args);
      }
    });
  }

 private:
  BinGeometry geometry_;
  Operand dy_, dx_;
};

}  // namespace

StepPointer make_adaptive_average_pool(const StepSpec& spec) { return std::make_unique<AdaptiveAveragePool>(spec); }
StepPointer make_adaptive_average_pool_backward(const StepSpec& spec) { return std::make_unique<AdaptiveAveragePoolBackward>(spec); }

}  // namespace convlane
