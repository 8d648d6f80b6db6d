// SPDX-License-Identifier: MIT
// How the columns of a product are cut into panels, each as wide as one GEMM tile.
#pragma once
#include <algorithm>

#include "../cpu/kernel_table.h"
#include "parallel.h"

namespace convlane {

constexpr int64_t kNearFloats = 128 << 10;  // of all panels together: up to so many stay in L2 beside what meets them

// Panels of equal width (the last one may be narrower): 5 vectors of columns and tiles of up to 4 make 3 + 2, not 4 + 1.
struct Panels {
  int64_t columns;
  int64_t count;
  int64_t width;         // columns of a whole panel, a multiple of the vector
  int32_t rows;          // rows of the tiles that all panels use
  int32_t planned_rows;  // the same on every processor with this instruction set
  int32_t tallest;       // rows of the tallest tile, the last panel's

  explicit Panels(int64_t columns) : Panels(columns, kernels().vectors) {}
  Panels(int64_t columns, int64_t most_vectors) : columns(columns) {
    const KernelTable& table = kernels();
    const int64_t vectors = divide_up(columns, table.width);
    count = divide_up(vectors, most_vectors);
    const int64_t widest = divide_up(vectors, count);
    count = divide_up(vectors, widest);
    width = widest * table.width;
    rows = table.rows_of[widest];
    tallest = table.rows_of[vectors - (count - 1) * widest];
    planned_rows = table.planned_rows_of[widest];
    for (int64_t narrower = 1; narrower < widest; ++narrower) {
      rows = std::min(rows, table.rows_of[narrower]);
      planned_rows = std::min(planned_rows, table.planned_rows_of[narrower]);
    }
  }

  int64_t first(int64_t panel) const { return panel * width; }
  int32_t columns_of(int64_t panel) const { return static_cast<int32_t>(std::min(width, columns - panel * width)); }
  int32_t vectors_of(int64_t panel) const { return static_cast<int32_t>(divide_up(columns_of(panel), kernels().width)); }
  // Columns that a kernel may read of a panel.
  int64_t padded_of(int64_t panel) const { return static_cast<int64_t>(vectors_of(panel)) * kernels().width; }
};

}  // namespace convlane
