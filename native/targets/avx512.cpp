// SPDX-License-Identifier: MIT
#include "../simd/avx512.h"

#include "../kernels/table.h"

namespace convlane {

extern const KernelTable kAvx512Table;
constexpr KernelTable kAvx512Table = table_of<Vec>("avx512");

}  // namespace convlane
