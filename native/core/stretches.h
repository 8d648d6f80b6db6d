// SPDX-License-Identifier: MIT
// Where along a line of the target the same taps lie inside the source.
#pragma once
#include "rows_axis.h"

namespace convlane {

// Columns of one line of the target, all of a phase, for which the same taps lie inside: tap first_tap of the axis and taps - 1 after it.
struct Stretch {
  int64_t phase, first, columns;
  int64_t first_tap, taps;
};

// By phase, then by position. Taps of a phase are evenly spaced: so are the sources of a stretch. Positions without any tap inside are stretches of none,
// which a target still has to be written for.
std::vector<Stretch> stretches_of(const RowsAxis& axis);

}  // namespace convlane
