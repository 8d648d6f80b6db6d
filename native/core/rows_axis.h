// SPDX-License-Identifier: MIT
// The axes of a convolution, forward and of the input gradient.
#pragma once
#include <vector>

#include "geometry.h"
#include "parallel.h"

namespace convlane {

enum class Direction { forward, gradient };

// One axis. Target position p + q · target_stride of phase p reads q · source_stride + offset[t] for the taps t of that phase.
struct RowsAxis {
  int64_t source = 1, target = 1;
  int64_t source_stride = 1, target_stride = 1;
  std::vector<int64_t> kernel, offset;  // of each tap; phase by phase, by rising offset within a phase
  std::vector<int64_t> first;           // taps of phase p: first[p] .. first[p + 1] - 1

  int64_t taps() const { return static_cast<int64_t>(kernel.size()); }
  int64_t phases() const { return static_cast<int64_t>(first.size()) - 1; }
  int64_t taps_of(int64_t phase) const { return first[static_cast<size_t>(phase) + 1] - first[static_cast<size_t>(phase)]; }
  bool lacks_taps() const {
    for (int64_t phase = 0; phase < phases(); ++phase) {
      if (taps_of(phase) == 0) return true;
    }
    return false;
  }
  int64_t positions(int64_t phase) const { return divide_up(target - phase, target_stride); }
  // One tap, and inside the source for all positions.
  bool point(int64_t phase) const {
    const size_t t = static_cast<size_t>(first[static_cast<size_t>(phase)]);
    return taps_of(phase) == 1 && offset[t] >= 0 && (positions(phase) - 1) * source_stride + offset[t] < source;
  }
};

// Taps of a phase are neighbours in the source, for every phase.
bool neighbours(const RowsAxis& axis);
// Each position reads the same one of the source.
bool pixelwise(const RowsAxis& axis);
// Share of the taps of all positions that lie inside the source.
double inside_share(const RowsAxis& axis);

RowsAxis forward_axis(const Axis& axis);
RowsAxis axis_of(const Axis& axis, Direction direction);

}  // namespace convlane
