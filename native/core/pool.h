// SPDX-License-Identifier: MIT
// Walks over pooling windows, forward (the taps of an output position) and backward (the windows that cover an input position).
#pragma once
#include "geometry.h"
#include "parallel.h"

namespace convlane {

// Numbers for one row (n, d, h) of output or input positions.
struct PoolRow {
  int64_t n, d, h;
};

// Calls f(row number, row, scratch) for all rows of all images; `floats` of scratch memory each.
template <class F>
void for_pool_rows(int64_t images, int64_t depth, int64_t height, int64_t row_elements, int64_t floats, F&& f) {
  const int64_t rows = images * depth * height;
  const int64_t together = std::max<int64_t>(1, kElementGrain / row_elements);
  parallel_with_scratch(divide_up(rows, together), floats, [&](int64_t chunk, float* memory) {
    const int64_t last = std::min(rows, (chunk + 1) * together);
    for (int64_t row = chunk * together; row < last; ++row) f(row, PoolRow{row / (depth * height), row / height % depth, row % height}, memory);
  });
}

// Output positions first .. last-1 may have a tap at input position i; which_tap tells, or gives -1.
struct WindowRange {
  int64_t first, last;
};
inline WindowRange windows_over(const Axis& axis, int64_t i) {
  const int64_t reach = i + axis.before;
  const int64_t behind = reach - (axis.kernel - 1) * axis.dilation;
  return {behind <= 0 ? 0 : divide_up(behind, axis.stride), std::min(axis.out, reach / axis.stride + 1)};
}
inline int64_t which_tap(const Axis& axis, int64_t i, int64_t o) {
  const int64_t distance = i + axis.before - o * axis.stride;
  return distance % axis.dilation == 0 ? distance / axis.dilation : -1;
}

}  // namespace convlane
