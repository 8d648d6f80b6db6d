// SPDX-License-Identifier: MIT
// Sums made by several chunks, each for itself, become one.
#pragma once
#include "../cpu/kernel_table.h"
#include "parallel.h"

namespace convlane {

// Adds `count` parts of so many floats, one behind the other, to the sums, in their order.
inline void add_parts(const float* parts, int64_t count, int64_t floats, float* sums) {
  if (count == 0) return;
  parallel_blocks(floats, kElementGrain / 4, [&](int64_t begin, int64_t end) {
    for (int64_t part = 0; part < count; ++part) kernels().axpy(1.0f, parts + part * floats + begin, sums + begin, end - begin);
  });
}

}  // namespace convlane
