// SPDX-License-Identifier: MIT
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// A scalar as a counter of 64 bits; what isn't one (NaN, negative) counts as 0.
uint64_t counter(double value) { return value >= 0 && value < 18446744073709551616.0 ? static_cast<uint64_t>(value) : 0; }

class Dropout : public Step {
 public:
  explicit Dropout(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")) {
    same_shape(spec, "x", x_, "y", y_);
    const double rate = number_between(spec, "rate", 0, 1);
    if (rate == 1) refuse(spec, "rate must be below 1");
    threshold_ = static_cast<uint32_t>(std::floor(rate * 4294967296.0));
    scale_ = static_cast<float>(1 / (1 - rate));
    stream_ = static_cast<uint32_t>(spec.integers("stream", 1, 0, 4294967295)[0]);
  }

  std::vector<std::string> scalars() const override { return {"seed", "step"}; }
  void run(const RunContext& context) const override {
    const uint64_t seed = counter(context.scalar("seed")), step = counter(context.scalar("step"));
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().dropout(x + begin, y + begin, begin, end - begin, threshold_, scale_, seed, stream_, step);
    });
  }

 private:
  Operand x_, y_;
  uint32_t threshold_, stream_;
  float scale_;
};

}  // namespace

StepPointer make_dropout(const StepSpec& spec) { return std::make_unique<Dropout>(spec); }

}  // namespace convlane
