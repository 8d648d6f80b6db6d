// SPDX-License-Identifier: MIT
#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

void check_rows(const StepSpec& spec, const char* name, const Operand& operand) {
  if (operand.rank < 1 || (operand.rank == 1 && operand.batched)) refuse(spec, std::string(name) + " has no axis besides the batch: " + shape_text(operand));
}

class Softmax : public Step {
 public:
  explicit Softmax(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")), logarithm_(spec.op == "logSoftmax") {
    check_rows(spec, "x", x_);
    same_shape(spec, "x", x_, "y", y_);
  }
  void run(const RunContext& context) const override {
    const int64_t columns = last_size(x_);
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(x_.elements(context.n) / columns, divide_up(kElementGrain / 4, columns), [&](int64_t begin, int64_t end) {
      (logarithm_ ? kernels().log_softmax : kernels().softmax)(x + begin * columns, end - begin, columns, y + begin * columns);
    });
  }

 private:
  Operand x_, y_;
  bool logarithm_;
};

class SoftmaxBackward : public Step {
 public:
  explicit SoftmaxBackward(const StepSpec& spec) : dy_(tensor(spec, "dy")), y_(tensor(spec, "y")), dx_(tensor(spec, "dx")), logarithm_(spec.op == "logSoftmaxBackward") {
    check_rows(spec, "dy", dy_);
    same_shape(spec, "dy", dy_, "y", y_);
    same_shape(spec, "dy", dy_, "dx", dx_);
  }
  void run(const RunContext& context) const override {
    const int64_t columns = last_size(dy_);
    const float *dy = context.at(dy_), *y = context.at(y_);
    float* dx = context.at(dx_);
    parallel_blocks(dy_.elements(context.n) / columns, divide_up(kElementGrain, columns), [&](int64_t begin, int64_t end) {
      const int64_t at = begin * columns;
      (logarithm_ ? kernels().log_softmax_backward : kernels().softmax_backward)(dy + at, y + at, end - begin, columns, dx + at);
    });
  }

 private:
  Operand dy_, y_, dx_;
  bool logarithm_;
};

}  // namespace

StepPointer make_softmax(const StepSpec& spec) { return std::make_unique<Softmax>(spec); }
StepPointer make_softmax_backward(const StepSpec& spec) { return std::make_unique<SoftmaxBackward>(spec); }

}  // namespace convlane
