// SPDX-License-Identifier: MIT
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// The attribute's numbers, one or `channels` of them, as `count` floats.
std::vector<float> expanded(const StepSpec& spec, const std::vector<double>& values, size_t count) {
  std::vector<float> result;
  for (size_t i = 0; i < count; ++i) {
    const double value = values[values.size() == 1 ? 0 : i];
    if (!std::isfinite(value)) refuse(spec, "scale and offset must be finite");
    result.push_back(static_cast<float>(value));
  }
  return result;
}

const std::vector<double>& values_of(const StepSpec& spec, const char* name, int64_t channels) {
  for (const auto& entry : spec.numbers) {
    if (entry.first != name) continue;
    if (entry.second.size() == 1 || static_cast<int64_t>(entry.second.size()) == channels) return entry.second;
    refuse(spec, std::string(name) + " must hold 1 or " + std::to_string(channels) + " numbers, got " + std::to_string(entry.second.size()));
  }
  refuse(spec, std::string("attribute ") + name + " is missing");
}

class Normalize : public Step {
 public:
  explicit Normalize(const StepSpec& spec) : x_(spec.operand("x")), y_(tensor(spec, "y")) {
    if (x_.dtype != Dtype::uint8) tensor(spec, "x");
    same_shape(spec, "x", x_, "y", y_);
    const int64_t channels = last_size(x_);
    const std::vector<double>& scale = values_of(spec, "scale", channels);
    const std::vector<double>& offset = values_of(spec, "offset", channels);
    const size_t period = std::max(scale.size(), offset.size());
    scale_ = expanded(spec, scale, period);
    offset_ = expanded(spec, offset, period);
  }

  void run(const RunContext& context) const override {
    const int64_t period = static_cast<int64_t>(scale_.size());
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), round_up(kElementGrain, period), [&](int64_t begin, int64_t end) {
      if (x_.dtype == Dtype::uint8) {
        kernels().normalize_u8(context.at<uint8_t>(x_) + begin, scale_.data(), offset_.data(), period, y + begin, end - begin);
      } else {
        kernels().normalize_f32(context.at(x_) + begin, scale_.data(), offset_.data(), period, y + begin, end - begin);
      }
    });
  }

 private:
  Operand x_, y_;
  std::vector<float> scale_, offset_;
};

}  // namespace

StepPointer make_normalize(const StepSpec& spec) { return std::make_unique<Normalize>(spec); }

}  // namespace convlane
