// SPDX-License-Identifier: MIT
// Each row mixed with another one of the batch. Where x and targets are mixed with one stream, they are mixed alike.
#include <cmath>
#include <cstring>

#include "checks.h"
#include "ops.h"
#include "parallel.h"
#include "philox.h"

namespace convlane {

namespace {

constexpr double kMostStreams = 1 << 24;
constexpr uint32_t kBatch = 0xffffffffu;  // the number that stands for no sample but the batch

class Mixup : public Step {
 public:
  explicit Mixup(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")) {
    same_shape(spec, "x", x_, "y", y_);
    if (x_.rank < 1) refuse(spec, "x must have an axis that counts the samples");
    probability_ = number_between(spec, "probability", 0, 1);
    stream_ = static_cast<uint32_t>(number_between(spec, "stream", 0, kMostStreams - 1));
    for (const auto& [name, values] : spec.numbers) {
      if (name == "quantiles") quantiles_ = values;
    }
    if (quantiles_.size() < 2) refuse(spec, "quantiles must be two numbers or more");
    for (double value : quantiles_) {
      if (!(value >= 0 && value <= 1)) refuse(spec, "quantiles must be numbers from 0 to 1");
    }
  }

  std::vector<std::string> scalars() const override { return {"seed", "step"}; }

  void run(const RunContext& context) const override {
    const uint64_t seed = scalar_counter(context.scalar("seed")), step = scalar_counter(context.scalar("step"));
    const int64_t n = rows_of(x_, context.n), row = x_.row_elements();
    const int64_t away = n > 1 ? 1 + Draws(seed, step, stream_, kBatch).below(0, n - 1) : 0;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(n, std::max<int64_t>(1, kElementGrain / row), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double share = share_of(seed, step, static_cast<uint32_t>(i));
        const float* other = x + (i + away) % n * row;
        if (share == 1) {
          std::memcpy(y + i * row, x + i * row, static_cast<size_t>(row) * sizeof(float));
        } else {
          kernels().scale(x + i * row, static_cast<float>(share), y + i * row, row);
          kernels().axpy(static_cast<float>(1 - share), other, y + i * row, row);
        }
      }
    });
  }

 private:
  // How much of the row itself stays.
  double share_of(uint64_t seed, uint64_t step, uint32_t sample) const {
    Draws draws(seed, step, stream_, sample);
    if (!draws.happens(0, probability_)) return 1;
    const double at = draws.unit(1) * static_cast<double>(quantiles_.size() - 1), below = std::floor(at);
    const double low = quantiles_[static_cast<size_t>(below)], high = quantiles_[static_cast<size_t>(below) + 1];
    return low + (high - low) * (at - below);
  }

  Operand x_, y_;
  double probability_;
  uint32_t stream_;
  std::vector<double> quantiles_;
};

}  // namespace

StepPointer make_mixup(const StepSpec& spec) { return std::make_unique<Mixup>(spec); }

}  // namespace convlane
