// SPDX-License-Identifier: MIT
#include "../simd/neon.h"

#include "../kernels/table.h"

namespace convlane {

extern const KernelTable kNeonTable;
constexpr KernelTable kNeonTable = table_of<Vec>("neon");

}  // namespace convlane
