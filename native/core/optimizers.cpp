// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

// An operand of as many elements as param; none of them has a batch.
const Operand& like_param(const StepSpec& spec, const char* name) {
  const Operand &operand = tensor(spec, name), &param = tensor(spec, "param");
  not_batched(spec, name, operand);
  if (operand.elements() != param.elements()) {
    refuse(spec, std::string(name) + " has shape " + shape_text(operand) + ", param has " + shape_text(param));
  }
  return operand;
}

// Weight decay: added to the gradient, or, decoupled, taken off the weight itself.
class Decay {
 public:
  explicit Decay(const StepSpec& spec) : value_(spec.number("weightDecay", 0)), decoupled_(spec.flag("decoupled", false)) {}
  float added() const { return decoupled_ ? 0.0f : static_cast<float>(value_); }
  float kept(double rate) const { return decoupled_ ? static_cast<float>(1 - rate * value_) : 1.0f; }

 private:
  double value_;
  bool decoupled_;
};

// The learning rate of the run times the step's own factor: parameter groups.
class Rate {
 public:
  explicit Rate(const StepSpec& spec) : factor_(spec.number("rateFactor", 1)) {
    if (!(factor_ >= 0 && factor_ <= kLargest)) refuse(spec, "rateFactor must be 0 or more");
  }
  double of(const RunContext& context) const { return context.scalar("learningRate") * factor_; }

 private:
  double factor_;
};

class Sgd : public Step {
 public:
  explicit Sgd(const StepSpec& spec)
      : param_(like_param(spec, "param")),
        grad_(like_param(spec, "grad")),
        momentum_(static_cast<float>(spec.number("momentum", 0))),
        rate_(spec),
        decay_(spec),
        nesterov_(spec.flag("nesterov", false)) {
    has_velocity_ = spec.optional("velocity") != nullptr;
    if (has_velocity_) velocity_ = like_param(spec, "velocity");
    if (!has_velocity_ && (momentum_ != 0 || nesterov_)) refuse(spec, "momentum needs the operand velocity");
  }

  std::vector<std::string> scalars() const override { return {"learningRate"}; }
  void run(const RunContext& context) const override {
    float *param = context.at(param_), *velocity = has_velocity_ ? context.at(velocity_) : nullptr;
    const float* grad = context.at(grad_);
    const double whole = rate_.of(context);
    const float rate = static_cast<float>(whole);
    parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().sgd({param + begin, velocity == nullptr ? nullptr : velocity + begin, grad + begin, end - begin, rate, momentum_,
                      decay_.added(), decay_.kept(whole), nesterov_});
    });
  }

 private:
  Operand param_, velocity_, grad_;
  bool has_velocity_;
  float momentum_;
  Rate rate_;
  Decay decay_;
  bool nesterov_;
};

float below_one(const StepSpec& spec, const char* name) {
  const float value = static_cast<float>(number_between(spec, name, 0, 1));
  if (value == 1) refuse(spec, std::string(name) + " must be below 1");
  return value;
}

// base to the power of a count, by squaring: the same bits on every platform.
double power(double base, double count) {
  double result = 1;
  for (uint64_t bits = count >= 1 && count < 9007199254740992.0 ? static_cast<uint64_t>(count) : 1; bits != 0; bits >>= 1, base *= base) {
    if (bits & 1) result *= base;
  }
  return result;
}

class Adam : public Step {
 public:
  explicit Adam(const StepSpec& spec)
      : param_(like_param(spec, "param")),
        m_(like_param(spec, "m")),
        v_(like_param(spec, "v")),
        grad_(like_param(spec, "grad")),
        beta1_(below_one(spec, "beta1")),
        beta2_(below_one(spec, "beta2")),
        epsilon_(static_cast<float>(number_between(spec, "epsilon", 0, kLargest))),
        rate_(spec),
        decay_(spec) {}

  std::vector<std::string> scalars() const override { return {"learningRate", "step"}; }
  void run(const RunContext& context) const override {
    const double step = context.scalar("step");
    float *param = context.at(param_), *m = context.at(m_), *v = context.at(v_);
    const float* grad = context.at(grad_);
    // From the rounded betas, which the moments are made with.
    const double rate = rate_.of(context);
    const float kept = decay_.kept(rate);
    const float step_size = static_cast<float>(rate / (1 - power(static_cast<double>(beta1_), step)));
    const float correction = static_cast<float>(1 / std::sqrt(1 - power(static_cast<double>(beta2_), step)));
    parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().adam({param + begin, m + begin, v + begin, grad + begin, end - begin, step_size, beta1_, beta2_, epsilon_, correction, decay_.added(), kept});
    });
  }

 private:
  Operand param_, m_, v_, grad_;
  float beta1_, beta2_, epsilon_;
  Rate rate_;
  Decay decay_;
};

class Rmsprop : public Step {
 public:
  explicit Rmsprop(const StepSpec& spec)
      : param_(like_param(spec, "param")),
        square_(like_param(spec, "square")),
        grad_(like_param(spec, "grad")),
        alpha_(below_one(spec, "alpha")),
        epsilon_(static_cast<float>(number_between(spec, "epsilon", 0, kLargest))),
        momentum_(static_cast<float>(spec.number("momentum", 0))),
        rate_(spec),
        decay_(spec) {
    has_mean_ = spec.optional("mean") != nullptr;
    if (has_mean_) mean_ = like_param(spec, "mean");
    has_velocity_ = spec.optional("velocity") != nullptr;
    if (has_velocity_) velocity_ = like_param(spec, "velocity");
    if (!has_velocity_ && momentum_ != 0) refuse(spec, "momentum needs the operand velocity");
  }

  std::vector<std::string> scalars() const override { return {"learningRate"}; }
  void run(const RunContext& context) const override {
    const double rate = rate_.of(context);
    float *param = context.at(param_), *square = context.at(square_);
    float *mean = has_mean_ ? context.at(mean_) : nullptr, *velocity = has_velocity_ ? context.at(velocity_) : nullptr;
    const float* grad = context.at(grad_);
    parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().rmsprop({param + begin, square + begin, mean == nullptr ? nullptr : mean + begin, velocity == nullptr ? nullptr : velocity + begin, grad + begin,
                         end - begin, static_cast<float>(rate), alpha_, epsilon_, momentum_, decay_.added(), decay_.kept(rate)});
    });
  }

 private:
  Operand param_, square_, mean_, velocity_, grad_;
  bool has_mean_, has_velocity_;
  float alpha_, epsilon_, momentum_;
  Rate rate_;
  Decay decay_;
};

class Adagrad : public Step {
 public:
  explicit Adagrad(const StepSpec& spec)
      : param_(like_param(spec, "param")),
        sum_(like_param(spec, "sum")),
        grad_(like_param(spec, "grad")),
        rate_decay_(number_between(spec, "learningRateDecay", 0, kLargest)),
        initial_(static_cast<float>(number_between(spec, "initialAccumulator", 0, kLargest))),
        epsilon_(static_cast<float>(number_between(spec, "epsilon", 0, kLargest))),
        rate_(spec),
        decay_(spec) {}

  std::vector<std::string> scalars() const override { return {"learningRate", "step"}; }
  void run(const RunContext& context) const override {
    const double whole = rate_.of(context);
    const double rate = whole / (1 + (context.scalar("step") - 1) * rate_decay_);
    float *param = context.at(param_), *sum = context.at(sum_);
    const float* grad = context.at(grad_);
    const float kept = decay_.kept(whole);
    parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().adagrad({param + begin, sum + begin, grad + begin, end - begin, static_cast<float>(rate), initial_, epsilon_, decay_.added(), kept});
    });
  }

 private:
  Operand param_, sum_, grad_;
  double rate_decay_;
  float initial_, epsilon_;
  Rate rate_;
  Decay decay_;
};

}  // namespace

StepPointer make_sgd(const StepSpec& spec) { return std::make_unique<Sgd>(spec); }
StepPointer make_adam(const StepSpec& spec) { return std::make_unique<Adam>(spec); }
StepPointer make_rmsprop(const StepSpec& spec) { return std::make_unique<Rmsprop>(spec); }
StepPointer make_adagrad(const StepSpec& spec) { return std::make_unique<Adagrad>(spec); }

}  // namespace convlane
