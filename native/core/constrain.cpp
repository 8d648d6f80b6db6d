// SPDX-License-Identifier: MIT
// What weights must be after an update: norms over the first and last axis of [before, outputs, after] limited or made 1, or nothing below 0.
#include <cmath>
#include <limits>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

enum class Rule { max_norm, unit_norm, non_negative };

Rule rule_of(const StepSpec& spec) {
  const std::string name = spec.string("rule", "");
  if (name == "maxNorm") return Rule::max_norm;
  if (name == "unitNorm") return Rule::unit_norm;
  if (name == "nonNegative") return Rule::non_negative;
  refuse(spec, "there is no rule '" + name + "'");
}

class Constrain : public Step {
 public:
  explicit Constrain(const StepSpec& spec) : param_(tensor(spec, "param")), rule_(rule_of(spec)) {
    not_batched(spec, "param", param_);
    if (rule_ == Rule::max_norm) limit_ = number_between(spec, "limit", 0, std::numeric_limits<float>::max());
    const auto sizes = spec.integers("incoming", 3, 1, int64_t{1} << 40);
    before_ = sizes[0], outputs_ = sizes[1], after_ = sizes[2];
    int64_t left = param_.elements();
    for (const int64_t size : sizes) left = left % size == 0 ? left / size : 0;
    if (left != 1) refuse(spec, "incoming does not have as many elements as param");
  }

  // Columns: a mean of 0, sums, sums of squares, factors.
  int64_t scratch_floats(int64_t) const override { return rule_ != Rule::non_negative && after_ == 1 ? 4 * outputs_ : 0; }

  void run(const RunContext& context) const override {
    float* param = context.at(param_);
    if (rule_ == Rule::non_negative) {
      parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
        kernels().clip(0, std::numeric_limits<float>::infinity(), param + begin, param + begin, end - begin);
      });
    } else if (after_ == 1) {
      columns(param, context.scratch);
    } else {
      runs(param);
    }
  }

 private:
  float factor(double squares) const {
    const double norm = std::sqrt(squares);
    if (rule_ == Rule::unit_norm) return norm == 0 ? 1.0f : static_cast<float>(1 / norm);
    return norm > limit_ ? static_cast<float>(limit_ / norm) : 1.0f;
  }

  void columns(float* param, float* scratch) const {
    float *mean = scratch, *sums = mean + outputs_, *squares = sums + outputs_, *factors = squares + outputs_;
    for (int64_t j = 0; j < outputs_; ++j) mean[j] = 0;
    kernels().column_products({param, param, mean, nullptr, nullptr, before_, outputs_}, sums, squares);
    for (int64_t j = 0; j < outputs_; ++j) factors[j] = factor(squares[j]);
    parallel_blocks(before_, divide_up(kElementGrain, outputs_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) kernels().multiply(param + row * outputs_, factors, param + row * outputs_, outputs_);
    });
  }

  void runs(float* param) const {
    parallel_blocks(outputs_, divide_up(kElementGrain, before_ * after_), [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; ++j) {
        double squares = 0;
        for (int64_t i = 0; i < before_; ++i) squares += kernels().sum_of_squares(param + (i * outputs_ + j) * after_, after_);
        const float by = factor(squares);
        for (int64_t i = 0; i < before_; ++i) {
          float* part = param + (i * outputs_ + j) * after_;
          kernels().scale(part, by, part, after_);
        }
      }
    });
  }

  Operand param_;
  Rule rule_;
  double limit_ = 0;
  int64_t before_, outputs_, after_;
};

}  // namespace

StepPointer make_constrain(const StepSpec& spec) { return std::make_unique<Constrain>(spec); }

}  // namespace convlane
