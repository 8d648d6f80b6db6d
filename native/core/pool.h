// SPDX-License-Identifier: MIT
// Walks over pooling windows, forward (the taps of an output position) and backward (the windows that cover an input position).
#pragma once
#include "geometry.h"
#include "parallel.h"
#include "stream.h"

namespace convlane {

// Numbers for one row (n, d, h) of output or input positions.
struct PoolRow {
  int64_t n, d, h;
};

// Calls f(row number, row, scratch) for all rows of all images; `floats` of scratch memory each. `row_elements`: what one row reads and writes; `streams`:
// whether f writes past the caches.
template <class F>
void for_pool_rows(int64_t images, int64_t depth, int64_t height, int64_t row_elements, int64_t floats, bool streams, F&& f) {
  const int64_t rows = images * depth * height;
  const int64_t together = std::max<int64_t>(1, kElementGrain / row_elements);
  parallel_with_scratch(divide_up(rows, together), floats, [&](int64_t chunk, float* memory) {
    const int64_t last = std::min(rows, (chunk + 1) * together);
    for (int64_t row = chunk * together; row < last; ++row) f(row, PoolRow{row / (depth * height), row / height % depth, row % height}, memory);
    if (streams) kernels().stream_fence();
  });
}

// Output positions first .. last-1.
struct WindowRange {
  int64_t first, last;
};

// Those whose windows lie inside the input.
inline WindowRange windows_inside(const Axis& axis) {
  const int64_t first = divide_up(axis.before, axis.stride), reach = axis.in + axis.before - axis.extent();
  return {first, std::max(first, reach < 0 ? 0 : std::min(axis.out, reach / axis.stride + 1))};
}

// Calls f(o, count) for the output positions of an axis, `count` at a time where their windows lie inside.
template <class F>
void for_window_runs(const Axis& axis, F&& f) {
  const WindowRange inside = windows_inside(axis);
  for (int64_t o = 0; o < axis.out;) {
    const int64_t count = o == inside.first && inside.last > o ? inside.last - o : 1;
    f(o, count);
    o += count;
  }
}

// Calls f(i, count) for the input positions of an axis: i, i + stride, … have windows over them that differ by one position each. Positions that `windows`
// don't cover wholly come one by one.
template <class F>
void for_pixel_runs(const Axis& axis, WindowRange windows, F&& f) {
  const int64_t first = std::max<int64_t>(0, (windows.first - 1) * axis.stride + axis.extent() - axis.before);
  const int64_t last = std::min(axis.in, windows.last * axis.stride - axis.before);
  for (int64_t i = 0; i < std::min(first, axis.in); ++i) f(i, int64_t{1});
  for (int64_t i = first; i < std::min(first + axis.stride, last); ++i) f(i, divide_up(last - i, axis.stride));
  for (int64_t i = std::max(first, last); i < axis.in; ++i) f(i, int64_t{1});
}

// Those that may have a tap at input position i; which_tap tells, or gives -1.
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
