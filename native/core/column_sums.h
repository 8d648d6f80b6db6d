// SPDX-License-Identifier: MIT
// Sums over the rows of a matrix: what is left of a gradient for the bias.
#pragma once
#include "../cpu/kernel_table.h"
#include "parallel.h"

namespace convlane {

// Rows are summed in stretches, each with sums of its own, which are added in order.
class ColumnSums {
 public:
  ColumnSums(int64_t rows, int64_t columns)
      : rows_(rows), columns_(columns), stretches_(std::clamp(rows * columns / kElementGrain, int64_t{1}, std::min(kChunks, rows))) {}

  int64_t scratch_floats() const { return stretches_ * columns_; }
  void run(const float* x, float* sums, float* scratch) const {
    const KernelTable& table = kernels();
    if (stretches_ == 1) return table.column_sums(x, rows_, columns_, columns_, sums);
    parallel_blocks(stretches_, 1, [&](int64_t stretch, int64_t) {
      const int64_t first = stretch * rows_ / stretches_, last = (stretch + 1) * rows_ / stretches_;
      table.column_sums(x + first * columns_, last - first, columns_, columns_, scratch + stretch * columns_);
    });
    table.column_sums(scratch, stretches_, columns_, columns_, sums);
  }

 private:
  int64_t rows_, columns_, stretches_;
};

}  // namespace convlane
