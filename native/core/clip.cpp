// SPDX-License-Identifier: MIT
// What gradients go through before an update: their norm, and clipping by it or by value.
#include <cmath>
#include <limits>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

// Scratch: one double for each chunk's sum, chunks of one operand after those of another.
class L2Norm : public Step {
 public:
  explicit L2Norm(const StepSpec& spec) : norm_(single_value(spec, "norm")) {
    const int64_t count = spec.integers("count", 1, 1, 65536)[0];
    for (int64_t i = 0; i < count; ++i) parts_.push_back(tensor(spec, ("x" + std::to_string(i)).c_str()));
  }

  int64_t scratch_floats(int64_t n) const override {
    int64_t chunks = 0;
    for (const Operand& part : parts_) chunks += divide_up(part.elements(n), kElementGrain);
    return chunks * static_cast<int64_t>(sizeof(double) / sizeof(float));
  }

  void run(const RunContext& context) const override {
    double* sums = reinterpret_cast<double*>(context.scratch);
    int64_t chunks = 0;
    for (const Operand& part : parts_) {
      const float* x = context.at(part);
      double* own = sums + chunks;
      parallel_blocks(part.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
        own[begin / kElementGrain] = kernels().sum_of_squares(x + begin, end - begin);
      });
      chunks += divide_up(part.elements(context.n), kElementGrain);
    }
    double total = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) total += sums[chunk];
    *context.at(norm_) = static_cast<float>(std::sqrt(total));
  }

 private:
  std::vector<Operand> parts_;
  Operand norm_;
};

class ClipByNorm : public Step {
 public:
  explicit ClipByNorm(const StepSpec& spec)
      : x_(tensor(spec, "x")), norm_(single_value(spec, "norm")), y_(tensor(spec, "y")), limit_(number_between(spec, "limit", 0, kLargest)) {
    same_shape(spec, "x", x_, "y", y_);
  }
  void run(const RunContext& context) const override {
    const double ratio = limit_ / (static_cast<double>(*context.at(norm_)) + 1e-6);
    const float factor = static_cast<float>(ratio > 1 ? 1.0 : ratio);  // NaN stays
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) { kernels().scale(x + begin, factor, y + begin, end - begin); });
  }

 private:
  Operand x_, norm_, y_;
  double limit_;
};

class ClipByValue : public Step {
 public:
  explicit ClipByValue(const StepSpec& spec)
      : x_(tensor(spec, "x")), y_(tensor(spec, "y")), limit_(static_cast<float>(number_between(spec, "limit", 0, kLargest))) {
    same_shape(spec, "x", x_, "y", y_);
  }
  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) { kernels().clip_by_value(x + begin, limit_, y + begin, end - begin); });
  }

 private:
  Operand x_, y_;
  float limit_;
};

}  // namespace

StepPointer make_l2_norm(const StepSpec& spec) { return std::make_unique<L2Norm>(spec); }
StepPointer make_clip_by_norm(const StepSpec& spec) { return std::make_unique<ClipByNorm>(spec); }
StepPointer make_clip_by_value(const StepSpec& spec) { return std::make_unique<ClipByValue>(spec); }

}  // namespace convlane
