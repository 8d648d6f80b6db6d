// SPDX-License-Identifier: MIT
#include "stretches.h"

namespace convlane {

std::vector<Stretch> stretches_of(const RowsAxis& axis) {
  std::vector<Stretch> stretches;
  for (int64_t phase = 0; phase < axis.phases(); ++phase) {
    const int64_t begin = axis.first[phase], taps = axis.first[phase + 1] - begin;
    const int64_t apart = taps > 1 ? axis.offset[begin + 1] - axis.offset[begin] : 1;
    for (int64_t q = 0; q < axis.positions(phase); ++q) {
      const int64_t start = taps > 0 ? q * axis.source_stride + axis.offset[begin] : 0;
      const int64_t first = start >= 0 ? 0 : std::min(taps, divide_up(-start, apart));
      const int64_t last = start >= axis.source ? 0 : std::min(taps, divide_up(axis.source - start, apart));
      const int64_t count = std::max<int64_t>(0, last - first), tap = begin + (count > 0 ? first : 0);
      if (!stretches.empty()) {
        Stretch& before = stretches.back();
        if (before.phase == phase && before.first_tap == tap && before.taps == count) {
          ++before.columns;
          continue;
        }
      }
      stretches.push_back({phase, q, 1, tap, count});
    }
  }
  return stretches;
}

}  // namespace convlane
