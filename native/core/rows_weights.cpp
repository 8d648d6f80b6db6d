// SPDX-License-Identifier: MIT
// How the products over row pointers get at the weights: as they lie, or packed in panels.
#include <algorithm>

#include "rows_convolution.h"

namespace convlane {

namespace {

constexpr int64_t kUnpackedPixels = 64;     // up to so many, packing the weights costs more than it gains; where they do not stay near, with their rows far apart,
constexpr int64_t kUnpackedFarPixels = 16;  // only up to so many: 512 -> 512 took 1.1 times as long packed at 4 x 4 pixels, 1.3 times as long unpacked at 5 x 5

}  // namespace

int64_t RowsConvolution::packed_floats() const {
  return geometry_.groups * panels_.count * d_.taps() * h_.taps() * w_.taps() * depth_ * panels_.width;
}

int64_t RowsConvolution::scratch_floats(int64_t) const { return round_up(w_.taps() * depth_, 16) + packed_floats(); }

// Whether kernels may read whole vectors of HWIO.
bool RowsConvolution::readable() const {
  return direction_ == Direction::forward && geometry_.groups == 1 && columns_ % kernels().width == 0;
}

// HWIO serves as it is when kernels may read it, and when one panel is all there is or packing wouldn't pay.
RowsConvolution::WeightView RowsConvolution::view(int64_t n, const float* weights, const float* prepared, float* packed) const {
  const int64_t panel = d_.taps() * h_.taps() * w_.taps() * depth_ * panels_.width;
  const bool few = n * geometry_.out_pixels() <= (packed_floats() <= kNearFloats ? kUnpackedPixels : kUnpackedFarPixels);
  if (prepared == nullptr && (serve_as_they_are() || (readable() && few))) return {weights, columns_, depth_ * columns_, panels_.width, 0};
  if (prepared == nullptr) pack(weights, packed);
  return {prepared == nullptr ? packed : prepared, panels_.width, depth_ * panels_.width, panel, panels_.count * panel};
}

void RowsConvolution::pack(const float* weights, float* packed) const {
  // Rows of a tap packed for all panels in one go: HWIO is then read in the order in which it lies (forward), or in long stretches (gradient).
  const int64_t together = direction_ == Direction::forward ? 16 : 256;
  const KernelTable& table = kernels();
  const int64_t taps = d_.taps() * h_.taps() * w_.taps();
  const int64_t tap_floats = depth_ * panels_.width, oc = geometry_.oc;
  const int64_t stretches = divide_up(depth_, together);
  const int64_t item_floats = std::min(together, depth_) * panels_.count * panels_.width;
  parallel_blocks(geometry_.groups * taps * stretches, std::max<int64_t>(1, kElementGrain / item_floats), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t group = item / stretches / taps, tap = item / stretches % taps, row = item % stretches * together;
      const int64_t rows = std::min(together, depth_ - row);
      const int64_t kw = w_.kernel[tap % w_.taps()], kh = h_.kernel[tap / w_.taps() % h_.taps()], kd = d_.kernel[tap / w_.taps() / h_.taps()];
      const float* hwio = weights + ((kd * geometry_.h.kernel + kh) * geometry_.w.kernel + kw) * geometry_.group_c() * oc + group * geometry_.group_oc();
      for (int64_t panel = 0; panel < panels_.count; ++panel) {
        float* to = packed + ((group * panels_.count + panel) * taps + tap) * tap_floats + row * panels_.width;
        const int64_t first = panels_.first(panel), columns = panels_.columns_of(panel), padded = panels_.padded_of(panel);
        if (direction_ == Direction::forward) {
          table.pack_rows(hwio + row * oc + first, oc, rows, columns, padded, to, panels_.width);
        } else {
          table.pack_transposed(hwio + first * oc + row, oc, rows, columns, padded, to, panels_.width);
        }
      }
    }
  });
}

}  // namespace convlane
