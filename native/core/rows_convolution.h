// SPDX-License-Identifier: MIT
// The one form of convolution forward and of the input gradient:
//   target[pixel] = act(sum over taps of source[pixel · stride + offset of the tap] · weights[tap] + bias)
// In the gradient, target pixels fall into phases (position mod stride) that each have taps of their own: nothing is computed on zeros.
#pragma once
#include <vector>

#include "geometry.h"
#include "panels.h"

namespace convlane {

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
RowsAxis forward_axis(const Axis& axis);
RowsAxis gradient_axis(const Axis& axis);

// How the kernels get at the patches: through row pointers into the source, or as copies (im2col).
enum class Patches { indirect, copied };
enum class Direction { forward, gradient };

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
  struct Cursor;

  int64_t packed_floats() const;
  bool readable() const;
  bool serve_as_they_are() const { return readable() && panels_.count == 1; }
  WeightView view(int64_t n, const float* weights, const float* prepared, float* packed) const;
  void pack(const float* weights, float* packed) const;
  bool across_images(int64_t n) const;
  bool taps_in(int64_t phase) const;
  bool streams(int64_t n, Activation activation, const float* target) const;
  void clear_without_taps(int64_t n, float* target, bool stream) const;
  Cuts cut(int64_t n) const;
  void run_block(const Call& call, int64_t phase, int64_t begin, int64_t end, int64_t first_unit, int64_t last_unit, Lists& lists) const;
  void list_points(const Call& call, Cursor& cursor, int32_t rows, int64_t group, Lists& lists) const;
  void list_tile(const Call& call, Cursor& cursor, int32_t rows, int64_t group, Lists& lists) const;

  ConvGeometry geometry_;
  Direction direction_;
  Patches patches_;
  RowsAxis d_, h_, w_;
  int64_t source_c_, target_c_;  // channels of a pixel
  int64_t depth_, columns_;      // of one group: source channels (the reduction per tap), target channels
  Panels panels_;
  bool mergeable_;               // taps that are neighbours along the width are neighbours in memory, within each phase
};

}  // namespace convlane
