// SPDX-License-Identifier: MIT
#include "checks.h"
#include "column_sums.h"
#include "ops.h"

namespace convlane {

namespace {

class BiasGradient : public Step {
 public:
  explicit BiasGradient(const StepSpec& spec) : dy_(tensor(spec, "dy")), db_(tensor(spec, "db", 1)) {
    if (dy_.rank < 2) refuse(spec, "dy must have rank 2 or more, got shape " + shape_text(dy_));
    not_batched(spec, "db", db_);
    expect_size(spec, "db", "size", db_.shape[0], "dy", last_size(dy_));
  }

  int64_t scratch_floats(int64_t n) const override { return sums(n).scratch_floats(); }
  void run(const RunContext& context) const override { sums(context.n).run(context.at(dy_), context.at(db_), context.scratch); }

 private:
  ColumnSums sums(int64_t n) const { return {dy_.elements(n) / db_.shape[0], db_.shape[0]}; }

  Operand dy_, db_;
};

}  // namespace

StepPointer make_bias_gradient(const StepSpec& spec) { return std::make_unique<BiasGradient>(spec); }

}  // namespace convlane
