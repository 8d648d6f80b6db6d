// SPDX-License-Identifier: MIT
// Functions of one number, element by element: exp, log, sqrt, abs, sign, clip.
#include <cmath>
#include <limits>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

class UnaryStep : public Step {
 public:
  UnaryStep(const StepSpec& spec, Unary operation) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), operation_(operation) {
    same_shape(spec, "x", x_, "y", y_);
  }
  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().unary(operation_, x + begin, y + begin, end - begin);
    });
  }

 private:
  Operand x_, y_;
  Unary operation_;
};

class Clip : public Step {
 public:
  explicit Clip(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")) {
    same_shape(spec, "x", x_, "y", y_);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    low_ = static_cast<float>(spec.number("low", -infinity));
    high_ = static_cast<float>(spec.number("high", infinity));
    if (low_ > high_) refuse(spec, "low is above high");
  }
  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().clip(low_, high_, x + begin, y + begin, end - begin);
    });
  }

 private:
  Operand x_, y_;
  float low_, high_;
};

}  // namespace

StepPointer make_exp(const StepSpec& spec) { return std::make_unique<UnaryStep>(spec, Unary::exp); }
StepPointer make_log(const StepSpec& spec) { return std::make_unique<UnaryStep>(spec, Unary::log); }
StepPointer make_sqrt(const StepSpec& spec) { return std::make_unique<UnaryStep>(spec, Unary::sqrt); }
StepPointer make_abs(const StepSpec& spec) { return std::make_unique<UnaryStep>(spec, Unary::abs); }
StepPointer make_sign(const StepSpec& spec) { return std::make_unique<UnaryStep>(spec, Unary::sign); }
StepPointer make_clip(const StepSpec& spec) { return std::make_unique<Clip>(spec); }

}  // namespace convlane
