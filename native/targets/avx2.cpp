// SPDX-License-Identifier: MIT
#include "../simd/avx2.h"

#include "../kernels/table.h"

namespace convlane {

extern const KernelTable kAvx2Table;
constexpr KernelTable kAvx2Table = table_of<Vec>("avx2");

}  // namespace convlane
