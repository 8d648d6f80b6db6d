// SPDX-License-Identifier: MIT
#include "line_bands.h"

namespace convlane {

int64_t most_band_lines(const ConvGeometry& geometry) {
  constexpr int64_t kBandColumns = 128;
  return std::max<int64_t>(1, kBandColumns / geometry.w.out);
}

std::vector<LineBand> line_bands(const ConvGeometry& geometry) {
  const int64_t most = most_band_lines(geometry);
  std::vector<LineBand> bands;
  for (int64_t line = 0; line < geometry.h.out; ++line) {
    const TapRange taps = taps_inside(geometry.h, line);
    if (!bands.empty() && bands.back().lines < most && bands.back().taps.first == taps.first && bands.back().taps.last == taps.last) {
      ++bands.back().lines;
    } else {
      bands.push_back({line, 1, taps});
    }
  }
  return bands;
}

}  // namespace convlane
