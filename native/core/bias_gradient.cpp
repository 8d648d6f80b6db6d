// SPDX-License-Identifier: MIT
#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// Rows are summed in stretches, each with sums of its own, which are added in order.
class BiasGradient : public Step {
 public:
  explicit BiasGradient(const StepSpec& spec) : dy_(tensor(spec, "dy")), db_(tensor(spec, "db", 1)) {
    if (dy_.rank < 2) refuse(spec, "dy must have rank 2 or more, got shape " + shape_text(dy_));
    not_batched(spec, "db", db_);
    expect_size(spec, "db", "size", db_.shape[0], "dy", last_size(dy_));
  }

  int64_t scratch_floats(int64_t n) const override { return stretches(n) * db_.shape[0]; }

  void run(const RunContext& context) const override {
    const KernelTable& table = kernels();
    const int64_t columns = db_.shape[0], rows = this->rows(context.n), count = stretches(context.n);
    const float* dy = context.at(dy_);
    float* db = context.at(db_);
    if (count == 1) return table.column_sums(dy, rows, columns, columns, db);
    parallel_blocks(count, 1, [&](int64_t stretch, int64_t) {
      const int64_t first = stretch * rows / count, last = (stretch + 1) * rows / count;
      table.column_sums(dy + first * columns, last - first, columns, columns, context.scratch + stretch * columns);
    });
    table.column_sums(context.scratch, count, columns, columns, db);
  }

 private:
  int64_t rows(int64_t n) const { return dy_.elements(n) / db_.shape[0]; }
  int64_t stretches(int64_t n) const { return std::clamp(dy_.elements(n) / kElementGrain, int64_t{1}, std::min(kChunks, rows(n))); }

  Operand dy_, db_;
};

}  // namespace

StepPointer make_bias_gradient(const StepSpec& spec) { return std::make_unique<BiasGradient>(spec); }

}  // namespace convlane
