// SPDX-License-Identifier: MIT
#include "../simd/scalar.h"

#include "../kernels/table.h"

namespace convlane {

extern const KernelTable kScalarTable;
constexpr KernelTable kScalarTable = table_of<Vec>("scalar");

}  // namespace convlane
