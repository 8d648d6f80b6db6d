// SPDX-License-Identifier: MIT
// Sums and extremes over a stretch of axes, and the way back: repeating along axes.
#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

// x is seen as [outer, reduced, inner]. Where there is much to reduce it is cut into stretches, each with results of its own, which are reduced in order.
class Reduce : public Step {
 public:
  Reduce(const StepSpec& spec, Reduction reduction) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), reduction_(reduction) {
    if (x_.rank == 0) refuse(spec, "x must have an axis to reduce");
    const std::vector<int64_t> axes = spec.integers("axes", 2, 0, x_.rank - 1);
    first_ = static_cast<int32_t>(axes[0]);
    last_ = static_cast<int32_t>(axes[1]);
    if (first_ > last_) refuse(spec, "axes are the first and the last axis to reduce, in this order");
    mean_ = reduction == Reduction::sum && spec.flag("mean", false);
    if (y_.batched != (x_.batched && first_ > 0)) refuse(spec, "y must be batched where the batch of x is kept, and only there");
    const int64_t batch = y_.batched ? 1 : 0;  // what stays of x but for its batch, which is checked by itself
    int64_t kept = 1;
    for (int32_t axis = 0; axis < x_.rank; ++axis) {
      if ((axis < first_ || axis > last_) && !(axis == 0 && batch)) kept *= x_.shape[axis];
    }
    expect_size(spec, "y", "elements", batch ? y_.row_elements() : y_.elements(), "x", kept);
  }

  int64_t scratch_floats(int64_t n) const override {
    const Sizes sizes = sizes_of(n);
    return sizes.stretches == 1 ? 0 : sizes.outer * sizes.stretches * sizes.inner;
  }

  void run(const RunContext& context) const override {
    const Sizes sizes = sizes_of(context.n);
    const int64_t outer = sizes.outer, reduced = sizes.reduced, inner = sizes.inner, stretches = sizes.stretches;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    float* parts = stretches == 1 ? y : context.scratch;
    parallel_blocks(outer * stretches, divide_up(kElementGrain * stretches, reduced * inner), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t o = item / stretches, stretch = item % stretches;
        const int64_t first = stretch * reduced / stretches, last = (stretch + 1) * reduced / stretches;
        reduce(x + (o * reduced + first) * inner, last - first, inner, parts + item * inner);
      }
    });
    if (stretches > 1) {
      parallel_blocks(outer, divide_up(kElementGrain, stretches * inner), [&](int64_t begin, int64_t end) {
        for (int64_t o = begin; o < end; ++o) reduce(parts + o * stretches * inner, stretches, inner, y + o * inner);
      });
    }
    if (mean_) kernels().scale(y, static_cast<float>(1.0 / static_cast<double>(reduced)), y, outer * inner);
  }

 private:
  struct Sizes { int64_t outer, reduced, inner, stretches; };

  Sizes sizes_of(int64_t n) const {
    Sizes sizes{1, 1, 1, 1};
    for (int32_t axis = 0; axis < x_.rank; ++axis) {
      int64_t& product = axis < first_ ? sizes.outer : axis > last_ ? sizes.inner : sizes.reduced;
      product *= size_of(x_, axis, n);
    }
    sizes.stretches = std::clamp(sizes.reduced * sizes.inner / kElementGrain, int64_t{1}, std::min(kChunks, sizes.reduced));
    return sizes;
  }

  // out[j] = the reduction of x[i][j] over i < rows.
  void reduce(const float* x, int64_t rows, int64_t columns, float* out) const {
    const KernelTable& table = kernels();
    if (columns == 1) {
      *out = table.reduce(reduction_, x, rows);
    } else if (reduction_ == Reduction::sum) {
      table.column_sums(x, rows, columns, columns, out);
    } else {
      table.column_extremes(reduction_, x, rows, columns, out);
    }
  }

  Operand x_, y_;
  Reduction reduction_;
  int32_t first_, last_;
  bool mean_;
};

class BroadcastTo : public Step {
 public:
  explicit BroadcastTo(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), mean_(spec.flag("mean", false)) {
    check_broadcast(spec, "x", x_, "y", y_);
  }

  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    const int64_t elements = y_.elements(context.n);
    const float factor = mean_ ? static_cast<float>(static_cast<double>(x_.elements(context.n)) / static_cast<double>(elements)) : 1.0f;
    const Walk<1> walk = broadcast_walk<1>({&x_}, y_, context.n);
    parallel_blocks(elements, kElementGrain, [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](int64_t index, const int64_t (&from)[1], int64_t count) {
        kernels().binary(Binary::multiply, x + from[0], walk.step(0), &factor, 0, y + index, count);
      });
    });
  }

 private:
  Operand x_, y_;
  bool mean_;
};

}  // namespace

StepPointer make_sum(const StepSpec& spec) { return std::make_unique<Reduce>(spec, Reduction::sum); }
StepPointer make_max(const StepSpec& spec) { return std::make_unique<Reduce>(spec, Reduction::max); }
StepPointer make_min(const StepSpec& spec) { return std::make_unique<Reduce>(spec, Reduction::min); }
StepPointer make_broadcast_to(const StepSpec& spec) { return std::make_unique<BroadcastTo>(spec); }

}  // namespace convlane
