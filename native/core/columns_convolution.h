// SPDX-License-Identifier: MIT
// The form of the weight gradient: dw[tap][c][oc] = sum over output pixels of x[pixel · stride + offset of the tap][c] · dy[pixel][oc].
// The reduction runs over pixels: over x and dy where they lie, or over copied patches.
#pragma once
#include "ahead.h"
#include "geometry.h"
#include "rows_convolution.h"

namespace convlane {

class ColumnsConvolution {
 public:
  ColumnsConvolution(const ConvGeometry& geometry, Patches patches);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const;  // db, the sums of dy, or null

 private:
  // Chunks are splits x parts. A split is a stretch of the pixels with a dw of its own (merged in order at the end); a part is a piece of dw:
  // taps x groups x ranges of channels (indirect) or kernel rows (copied).
  struct Cuts {
    int64_t splits, part_chunks;
    int64_t parts, ranges, range;  // channels in a range
    int64_t planned_range;         // the same on every processor with this instruction set: what blocks, and so the order of sums, depend on
  };
  // Output rows (indirect) or pixels (copied) first .. last-1, `block` at a time.
  struct Stretch {
    int64_t first, last, block;
  };
  // Where a chunk adds up dy: null, or the sums of its split, and memory for those of one block.
  struct Total {
    float *sums, *block;
  };
  void add_total(const Total& total, const float* dy, int64_t first, int64_t last, int64_t pixels, bool accumulate) const;
  static bool turns(const ConvGeometry& geometry, Patches patches);
  void turn_back(int64_t splits, float* sums, float* dw) const;
  int64_t units(int64_t n) const;
  Cuts cut(int64_t chunks, int64_t units) const;
  int64_t block_rows(const Cuts& cuts) const;
  bool packs() const;
  int64_t packed_floats(int64_t rows) const;
  void pack(const float* dy, int64_t pixels, float* packed) const;
  void add_indirect(const Cuts& cuts, const float* x, const float* dy, Stretch rows, int64_t first_part, int64_t last_part, float* memory,
                    float* packed, float* dw, const Total& total) const;
  void add_copied(const float* x, const float* dy, Stretch pixels, int64_t first_part, int64_t last_part, float* memory, float* dw,
                  const Total& total) const;
  Ahead look_ahead(const float* x, const float* dy, int64_t first_row, int64_t last_row) const;
  int64_t list_runs(int64_t tap, const float* x, const float* dy, int64_t dy_step, int64_t first_row, int64_t last_row, GemmColsRun* runs) const;

  ConvGeometry geometry_;
  Patches patches_;
  bool turned_;     // rows of the product are channels of dy, columns those of x: what is summed up is [tap][oc][c]
  int64_t rows_;    // of one group
  Panels panels_;
};

}  // namespace convlane
