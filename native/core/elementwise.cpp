// SPDX-License-Identifier: MIT
// Ops that take one element of each operand at a time: activations and their gradients, scale, fill.
#include <algorithm>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

class Activate : public Step {
 public:
  Activate(const StepSpec& spec, Activation activation) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), activation_(activation) {
    same_shape(spec, "x", x_, "y", y_);
  }
  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().activate(activation_, x + begin, y + begin, end - begin);
    });
  }

 private:
  Operand x_, y_;
  Activation activation_;
};

class ActivateBackward : public Step {
 public:
  ActivateBackward(const StepSpec& spec, Activation activation)
      : dy_(tensor(spec, "dy")), from_(tensor(spec, activation >= Activation::silu ? "x" : "y")), dx_(tensor(spec, "dx")), activation_(activation) {
    same_shape(spec, "dy", dy_, activation >= Activation::silu ? "x" : "y", from_);
    same_shape(spec, "dy", dy_, "dx", dx_);
    if (const Operand* also = optional_tensor(spec, "also")) {
      same_shape(spec, "dy", dy_, "also", *also);
      also_ = *also;
      has_also_ = true;
    }
  }
  void run(const RunContext& context) const override {
    const float *dy = context.at(dy_), *also = has_also_ ? context.at(also_) : nullptr, *from = context.at(from_);
    float* dx = context.at(dx_);
    parallel_blocks(dy_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      kernels().activate_backward(activation_, dy + begin, also == nullptr ? nullptr : also + begin, from + begin, dx + begin, end - begin);
    });
  }

 private:
  Operand dy_, also_, from_, dx_;
  bool has_also_ = false;
  Activation activation_;
};

class Scale : public Step {
 public:
  explicit Scale(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), factor_(static_cast<float>(spec.number("factor", 1))) {
    same_shape(spec, "x", x_, "y", y_);
    has_s_ = spec.optional("s") != nullptr;
    if (has_s_) s_ = single_value(spec, "s");
  }
  void run(const RunContext& context) const override {
    const float s = has_s_ ? *context.at(s_) * factor_ : factor_;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) { kernels().scale(x + begin, s, y + begin, end - begin); });
  }

 private:
  Operand x_, s_, y_;
  bool has_s_;
  float factor_;
};

class Fill : public Step {
 public:
  explicit Fill(const StepSpec& spec) : y_(tensor(spec, "y")), value_(static_cast<float>(spec.number("value"))) {}
  void run(const RunContext& context) const override {
    float* y = context.at(y_);
    parallel_blocks(y_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, value_); });
  }

 private:
  Operand y_;
  float value_;
};

}  // namespace

StepPointer make_relu(const StepSpec& spec) { return std::make_unique<Activate>(spec, Activation::relu); }
StepPointer make_sigmoid(const StepSpec& spec) { return std::make_unique<Activate>(spec, Activation::sigmoid); }
StepPointer make_tanh(const StepSpec& spec) { return std::make_unique<Activate>(spec, Activation::tanh); }
StepPointer make_relu_backward(const StepSpec& spec) { return std::make_unique<ActivateBackward>(spec, Activation::relu); }
StepPointer make_sigmoid_backward(const StepSpec& spec) { return std::make_unique<ActivateBackward>(spec, Activation::sigmoid); }
StepPointer make_tanh_backward(const StepSpec& spec) { return std::make_unique<ActivateBackward>(spec, Activation::tanh); }
StepPointer make_scale(const StepSpec& spec) { return std::make_unique<Scale>(spec); }
StepPointer make_fill(const StepSpec& spec) { return std::make_unique<Fill>(spec); }

StepPointer make_activation(const StepSpec& spec) { return std::make_unique<Activate>(spec, activation_named(spec, spec.op)); }
StepPointer make_activation_backward(const StepSpec& spec) {
  const std::string suffix = "Backward";
  return std::make_unique<ActivateBackward>(spec, activation_named(spec, spec.op.substr(0, spec.op.size() - suffix.size())));
}

}  // namespace convlane
