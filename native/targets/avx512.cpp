// SPDX-License-Identifier: MIT
#include "../simd/avx512.h"

#include "../kernels/table.h"

namespace convlane {

namespace {

// Where two of the widest multiply-adds start in a cycle, a tile of 4 rows wants its panel twice as fast as the second cache gives it.
struct Tall {
  static constexpr int rows[] = {0, 16, 8, 8, 6};
};

constexpr KernelTable tall() {
  KernelTable t = table_of<Vec>("avx512");
  set_tiles<Vec, Tall>(t);
  return t;
}

}  // namespace

extern const KernelTable kAvx512Tables[2];
constexpr KernelTable kAvx512Tables[2] = {table_of<Vec>("avx512"), tall()};

}  // namespace convlane
