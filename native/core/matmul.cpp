// SPDX-License-Identifier: MIT
#include "checks.h"
#include "gemm.h"
#include "ops.h"
#include "strided.h"

namespace convlane {

namespace {

// The batch is the rows of a and y, or the reduction of a transposed a and a plain b (a weight gradient).
class Matmul : public Step {
 public:
  explicit Matmul(const StepSpec& spec) : a_(tensor(spec, "a", 2)), b_(tensor(spec, "b", 2)), y_(tensor(spec, "y", 2)) {
    sizes_.transpose_a = spec.flag("transposeA", false);
    sizes_.transpose_b = spec.flag("transposeB", false);
    sizes_.m = a_.shape[sizes_.transpose_a ? 1 : 0];
    sizes_.k = a_.shape[sizes_.transpose_a ? 0 : 1];
    sizes_.n = b_.shape[sizes_.transpose_b ? 0 : 1];
    expect_size(spec, "b", "inner size", b_.shape[sizes_.transpose_b ? 1 : 0], "a", sizes_.k);
    expect_size(spec, "y", "rows", y_.shape[0], "a", sizes_.m);
    expect_size(spec, "y", "columns", y_.shape[1], "b", sizes_.n);
    if (b_.batched && sizes_.transpose_b) refuse(spec, "a transposed b must not be batched");
    if ((a_.batched && sizes_.transpose_a) != b_.batched) refuse(spec, "the inner sizes of a and b must both be batched or both not");
    if ((a_.batched && !sizes_.transpose_a) != y_.batched) refuse(spec, "the rows of a and y must both be batched or both not");
  }

  int64_t scratch_floats(int64_t n) const override { return gemm_scratch_floats(sizes_of(n), b_.batched); }
  void run(const RunContext& context) const override {
    gemm(sizes_of(context.n), context.at(a_), context.at(b_), nullptr, Activation::linear, context.at(y_), context.scratch);
  }

 private:
  GemmSizes sizes_of(int64_t n) const {
    GemmSizes sizes = sizes_;
    if (y_.batched) sizes.m = n;
    if (b_.batched) sizes.k = n;
    return sizes;
  }

  Operand a_, b_, y_;
  GemmSizes sizes_{};
};

// Stacks of matrices: the axes before the last two are broadcast, and the batch, where there is one, is among them.
class StackMatmul : public Step {
 public:
  explicit StackMatmul(const StepSpec& spec) : a_(tensor(spec, "a")), b_(tensor(spec, "b")), y_(tensor(spec, "y")) {
    if (a_.rank < 2 || b_.rank < 2 || y_.rank < 3) refuse(spec, "a and b must have two axes or more, and y as many as the larger one");
    sizes_.transpose_a = spec.flag("transposeA", false);
    sizes_.transpose_b = spec.flag("transposeB", false);
    sizes_.m = a_.shape[a_.rank - (sizes_.transpose_a ? 1 : 2)];
    sizes_.k = a_.shape[a_.rank - (sizes_.transpose_a ? 2 : 1)];
    sizes_.n = b_.shape[b_.rank - (sizes_.transpose_b ? 2 : 1)];
    expect_size(spec, "b", "inner size", b_.shape[b_.rank - (sizes_.transpose_b ? 1 : 2)], "a", sizes_.k);
    expect_size(spec, "y", "rows", y_.shape[y_.rank - 2], "a", sizes_.m);
    expect_size(spec, "y", "columns", y_.shape[y_.rank - 1], "b", sizes_.n);
    if ((a_.batched && a_.rank == 2) || (b_.batched && b_.rank == 2)) refuse(spec, "the batch must be before the last two axes");
    for (Operand* stack : {&(a_stack_ = a_), &(b_stack_ = b_), &(y_stack_ = y_)}) stack->rank -= 2;
    check_broadcast(spec, "a", a_stack_, "y", y_stack_);
    check_broadcast(spec, "b", b_stack_, "y", y_stack_);
    const Operand* operands[] = {&a_stack_, &b_stack_};
    check_result(spec, "y", y_stack_, operands, 2);
  }

  int64_t scratch_floats(int64_t n) const override { return gemm_scratch_floats(is_one(n) ? rows(n) : sizes_); }

  void run(const RunContext& context) const override {
    const float *a = context.at(a_), *b = context.at(b_);
    float* y = context.at(y_);
    if (is_one(context.n)) return gemm(rows(context.n), a, b, nullptr, Activation::linear, y, context.scratch);
    const Walk<2> walk = broadcast_walk<2>({&a_stack_, &b_stack_}, y_stack_, context.n);
    walk.each(0, y_stack_.elements(context.n), [&](int64_t index, const int64_t (&from)[2], int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        gemm(sizes_, a + (from[0] + i * walk.step(0)) * sizes_.m * sizes_.k, b + (from[1] + i * walk.step(1)) * sizes_.k * sizes_.n, nullptr,
             Activation::linear, y + (index + i) * sizes_.m * sizes_.n, context.scratch);
      }
    });
  }

 private:
  // One b for all rows of a: a single product.
  bool is_one(int64_t n) const {
    return !sizes_.transpose_a && !b_stack_.batched && b_stack_.elements() == 1 && a_stack_.elements(n) == y_stack_.elements(n);
  }
  GemmSizes rows(int64_t n) const {
    GemmSizes sizes = sizes_;
    sizes.m *= y_stack_.elements(n);
    return sizes;
  }

  Operand a_, b_, y_, a_stack_, b_stack_, y_stack_;  // the stacks have the axes before the last two
  GemmSizes sizes_{};
};

}  // namespace

StepPointer make_matmul(const StepSpec& spec) {
  if (spec.operand("y").rank > 2) return std::make_unique<StackMatmul>(spec);
  return std::make_unique<Matmul>(spec);
}

}  // namespace convlane
