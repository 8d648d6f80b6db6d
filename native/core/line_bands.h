// SPDX-License-Identifier: MIT
// How convolutions that are computed line by line are cut.
#pragma once
#include "rows_axis.h"

namespace convlane {

// Lines of the output, of one image and depth, that have the same rows of the window inside.
struct LineBand {
  int64_t first, lines;
  TapRange taps;
};
std::vector<LineBand> line_bands(const ConvGeometry& geometry);
// Lines of a band, at most: so few columns that chains of sums stay short, or one line.
int64_t most_band_lines(const ConvGeometry& geometry);

// Lines of the target, of one image, depth and phase of their height, that are computed together: what they share of the source is near.
// `window_h`: the window's height, which the taps of a gradient's axis may fall short of. The axes must outlive the groups.
class LineGroups {
 public:
  struct Group {
    int64_t image, to_d, phase_d, at_d, phase_h, first_h;
    int64_t lines;  // 0 where the phase has fewer than others
  };

  LineGroups(const RowsAxis& d, const RowsAxis& h, int64_t window_h, int64_t together)
      : d_(d), h_(h), window_h_(window_h), together_(together), blocks_(divide_up(h.positions(0), together)) {}
  int64_t count(int64_t n) const { return n * d_.target * h_.phases() * blocks_; }

  Group operator[](int64_t number) const {
    const int64_t phase_h = number % h_.phases(), first_h = number / h_.phases() % blocks_ * together_;
    const int64_t plane = number / h_.phases() / blocks_, to_d = plane % d_.target;
    const int64_t lines = std::max<int64_t>(0, std::min(together_, h_.positions(phase_h) - first_h));
    return {plane / d_.target, to_d, to_d % d_.target_stride, to_d / d_.target_stride, phase_h, first_h, lines};
  }

  // The number of a group's line among all of the target's.
  int64_t target_line(const Group& group, int64_t line) const {
    return (group.image * d_.target + group.to_d) * h_.target + group.phase_h + (group.first_h + line) * h_.target_stride;
  }

  // f(line of the source, row of the window) for each row of taps of a group's line that lies inside.
  template <class F>
  void each_row(const Group& group, int64_t line, const F& f) const {
    for (int64_t td = d_.first[group.phase_d]; td < d_.first[group.phase_d + 1]; ++td) {
      const int64_t from_d = group.at_d * d_.source_stride + d_.offset[td];
      if (!inside(from_d, d_.source)) continue;
      for (int64_t th = h_.first[group.phase_h]; th < h_.first[group.phase_h + 1]; ++th) {
        const int64_t from_h = (group.first_h + line) * h_.source_stride + h_.offset[th];
        if (inside(from_h, h_.source)) f((group.image * d_.source + from_d) * h_.source + from_h, d_.kernel[td] * window_h_ + h_.kernel[th]);
      }
    }
  }

 private:
  const RowsAxis& d_;
  const RowsAxis& h_;
  int64_t window_h_, together_, blocks_;
};

}  // namespace convlane
