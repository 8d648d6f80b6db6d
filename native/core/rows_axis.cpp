// SPDX-License-Identifier: MIT
#include "rows_axis.h"

#include <algorithm>

namespace convlane {

namespace {

// Input position i = p + q · stride takes part in output position o = (i + before - k · dilation) / stride where that is whole.
RowsAxis gradient_axis(const Axis& axis) {
  RowsAxis rows{axis.out, axis.in, 1, axis.stride, {}, {}, {0}};
  const int64_t phases = std::min(axis.stride, axis.in);
  std::vector<std::vector<int64_t>> taps(static_cast<size_t>(phases));
  for (int64_t k = axis.kernel - 1; k >= 0; --k) {
    const int64_t phase = ((k * axis.dilation - axis.before) % axis.stride + axis.stride) % axis.stride;
    if (phase < phases) taps[static_cast<size_t>(phase)].push_back(k);
  }
  for (int64_t phase = 0; phase < phases; ++phase) {
    for (int64_t k : taps[static_cast<size_t>(phase)]) {
      rows.kernel.push_back(k);
      rows.offset.push_back((phase + axis.before - k * axis.dilation) / axis.stride);
    }
    rows.first.push_back(rows.taps());
  }
  return rows;
}

}  // namespace

bool neighbours(const RowsAxis& axis) {
  for (int64_t phase = 0; phase < axis.phases(); ++phase) {
    for (int64_t t = axis.first[phase] + 1; t < axis.first[phase + 1]; ++t) {
      if (axis.offset[t] != axis.offset[t - 1] + 1) return false;
    }
  }
  return true;
}

double inside_share(const RowsAxis& axis) {
  int64_t taps = 0, all = 0;
  for (int64_t phase = 0; phase < axis.phases(); ++phase) {
    for (int64_t t = axis.first[phase]; t < axis.first[phase + 1]; ++t) {
      const int64_t positions = axis.positions(phase), offset = axis.offset[t];
      const int64_t begin = offset < 0 ? divide_up(-offset, axis.source_stride) : 0;
      const int64_t end = offset < axis.source ? (axis.source - 1 - offset) / axis.source_stride + 1 : 0;
      all += positions;
      taps += std::max<int64_t>(0, std::min(positions, end) - begin);
    }
  }
  return all == 0 ? 1 : static_cast<double>(taps) / static_cast<double>(all);
}

bool pixelwise(const RowsAxis& axis) {
  return axis.taps() == 1 && axis.offset[0] == 0 && axis.source == axis.target && axis.source_stride == 1 && axis.target_stride == 1;
}

RowsAxis forward_axis(const Axis& axis) {
  RowsAxis rows{axis.in, axis.out, axis.stride, 1, {}, {}, {0, axis.kernel}};
  for (int64_t k = 0; k < axis.kernel; ++k) {
    rows.kernel.push_back(k);
    rows.offset.push_back(axis.source(0, k));
  }
  return rows;
}

RowsAxis axis_of(const Axis& axis, Direction direction) { return direction == Direction::forward ? forward_axis(axis) : gradient_axis(axis); }

}  // namespace convlane
