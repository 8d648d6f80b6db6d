// SPDX-License-Identifier: MIT
// Ops of two or three tensors, element by element, with the broadcasting of numpy.
#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

class BinaryStep : public Step {
 public:
  BinaryStep(const StepSpec& spec, Binary operation)
      : a_(tensor(spec, "a")), b_(tensor(spec, "b")), y_(tensor(spec, "y")), operation_(operation), activation_(Activation::linear) {
    check_broadcast(spec, "a", a_, "y", y_);
    check_broadcast(spec, "b", b_, "y", y_);
    const Operand* operands[] = {&a_, &b_};
    check_result(spec, "y", y_, operands, 2);
    if (operation == Binary::add) activation_ = activation_of(spec);
  }

  void run(const RunContext& context) const override {
    const KernelTable& table = kernels();
    const float *a = context.at(a_), *b = context.at(b_);
    float* y = context.at(y_);
    const Walk<2> walk = broadcast_walk<2>({&a_, &b_}, y_, context.n);
    const int64_t a_step = walk.step(0), b_step = walk.step(1);
    parallel_blocks(y_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](int64_t index, const int64_t (&from)[2], int64_t count) {
        if (operation_ == Binary::add && a_step == 1 && b_step == 1) {
          return table.add(a + from[0], b + from[1], y + index, count, activation_);
        }
        table.binary(operation_, a + from[0], a_step, b + from[1], b_step, y + index, count);
        if (activation_ != Activation::linear) table.activate(activation_, y + index, y + index, count);
      });
    });
  }

 private:
  Operand a_, b_, y_;
  Binary operation_;
  Activation activation_;
};

class Where : public Step {
 public:
  explicit Where(const StepSpec& spec) : c_(tensor(spec, "condition")), a_(tensor(spec, "a")), b_(tensor(spec, "b")), y_(tensor(spec, "y")) {
    check_broadcast(spec, "condition", c_, "y", y_);
    check_broadcast(spec, "a", a_, "y", y_);
    check_broadcast(spec, "b", b_, "y", y_);
    const Operand* operands[] = {&c_, &a_, &b_};
    check_result(spec, "y", y_, operands, 3);
  }

  void run(const RunContext& context) const override {
    const float *c = context.at(c_), *a = context.at(a_), *b = context.at(b_);
    float* y = context.at(y_);
    const Walk<3> walk = broadcast_walk<3>({&c_, &a_, &b_}, y_, context.n);
    parallel_blocks(y_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](int64_t index, const int64_t (&from)[3], int64_t count) {
        kernels().where(c + from[0], walk.step(0), a + from[1], walk.step(1), b + from[2], walk.step(2), y + index, count);
      });
    });
  }

 private:
  Operand c_, a_, b_, y_;
};

}  // namespace

StepPointer make_add(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::add); }
StepPointer make_sub(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::subtract); }
StepPointer make_multiply(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::multiply); }
StepPointer make_div(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::divide); }
StepPointer make_pow(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::power); }
StepPointer make_minimum(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::minimum); }
StepPointer make_maximum(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::maximum); }
StepPointer make_prelu(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::prelu); }
StepPointer make_equal(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::equal); }
StepPointer make_not_equal(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::not_equal); }
StepPointer make_less(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::less); }
StepPointer make_less_equal(const StepSpec& spec) { return std::make_unique<BinaryStep>(spec, Binary::less_equal); }
StepPointer make_where(const StepSpec& spec) { return std::make_unique<Where>(spec); }

}  // namespace convlane
