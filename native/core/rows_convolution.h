// SPDX-License-Identifier: MIT
// The one form of convolution forward and of the input gradient:
//   target[pixel] = act(sum over taps of source[pixel · stride + offset of the tap] · weights[tap] + bias)
// In the gradient, target pixels fall into phases (position mod stride) that each have taps of their own: nothing is computed on zeros.
#pragma once
#include "geometry.h"
#include "panels.h"
#include "rows_axis.h"
#include "rows_cursor.h"

namespace convlane {

// How the kernels get at the patches: through row pointers into the source, or as copies (im2col).
enum class Patches { indirect, copied };

class RowsConvolution {
 public:
  RowsConvolution(const ConvGeometry& geometry, Direction direction, Patches patches);

  int64_t scratch_floats(int64_t n) const;
  // `weights` is HWIO in both directions. `bias` and `prepared` may be null.
  void run(int64_t n, const float* source, const float* weights, const float* bias, Activation activation, float* target, float* scratch,
           const float* prepared) const;
  // Packed weights for many runs; none where they serve as they are.
  int64_t prepared_floats() const { return serve_as_they_are() ? 0 : packed_floats(); }
  void prepare(const float* weights, float* prepared) const { pack(weights, prepared); }

 private:
  // Where panel p of group g finds the rows of tap t: data + g · group + p · panel + t · tap, rows ldb apart.
  struct WeightView {
    const float* data;
    int64_t ldb, tap, panel, group;
  };
  struct Call;
  struct Cuts;
  struct Lists;
  struct Point {
    const float* from;
    float* out;
  };

  int64_t packed_floats() const;
  bool readable() const;
  bool serve_as_they_are() const { return readable() && panels_.count == 1; }
  WeightView view(int64_t n, const float* weights, const float* prepared, float* packed) const;
  void pack(const float* weights, float* packed) const;
  double padding_of_pixel() const;
  bool across_images(int64_t n) const;
  bool taps_in(int64_t phase) const;
  bool streams(int64_t n, Activation activation, const float* target) const;
  void clear_without_taps(int64_t n, float* target, bool stream) const;
  Cuts cut(int64_t n) const;
  void run_block(const Call& call, int64_t phase, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit, Lists& lists) const;
  bool move_lists(const Call& call, const RowsCursor& cursor, int64_t phase, int64_t begin, int64_t end, int64_t group, Lists& lists) const;
  bool by_lines(const RowsCursor& cursor, int64_t begin, int64_t end) const;
  GemmPanelArgs panel_args(const Call& call, const RowsCursor& cursor, int64_t unit) const;
  void run_lines(const Call& call, RowsCursor& cursor, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit) const;
  void run_strips(const Call& call, RowsCursor& cursor, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit) const;
  int64_t tap_of(const RowsCursor& cursor) const;
  Point point_of(const Call& call, const RowsCursor& cursor, int64_t group) const;
  void list_points(const Call& call, RowsCursor& cursor, int32_t rows, int64_t group, Lists& lists) const;
  void list_tile(const Call& call, RowsCursor& cursor, int32_t rows, int64_t group, Lists& lists) const;

  ConvGeometry geometry_;
  Direction direction_;
  Patches patches_;
  RowsAxis d_, h_, w_;
  int64_t source_c_, target_c_;  // channels of a pixel
  int64_t depth_, columns_;      // of one group: source channels (the reduction per tap), target channels
  Panels panels_;
  bool mergeable_;               // taps that are neighbours along the width are neighbours in memory, within each phase
  bool padded_;                  // so much is computed on padding that tiles had better take the same pixel of several images
  bool pixelwise_;               // each pixel of the target comes from the same one of the source
};

}  // namespace convlane
