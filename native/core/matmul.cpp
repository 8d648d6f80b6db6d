// SPDX-License-Identifier: MIT
#include "checks.h"
#include "gemm.h"
#include "ops.h"

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

  int64_t scratch_floats(int64_t n) const override { return gemm_scratch_floats(sizes_of(n)); }
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

}  // namespace

StepPointer make_matmul(const StepSpec& spec) { return std::make_unique<Matmul>(spec); }

}  // namespace convlane
