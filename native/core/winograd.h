// SPDX-License-Identifier: MIT
// Winograd's minimal filtering on NHWC: fewer multiplications for windows of 3x3 and 5x5 with stride 1. In each of n x n points the tiles of a batch make
// one matrix product: tiles x depth by depth x columns.
#pragma once
#include "geometry.h"
#include "panels.h"
#include "rows_axis.h"
#include "winograd_tiles.h"

namespace convlane {

class Ahead;

// The kernels of F(outputs x outputs, taps x taps), or null where the convolution has none: 2-D, one group, stride and dilation 1, a square window.
const WinogradKernels* winograd_kernels(const ConvGeometry& geometry, int64_t outputs);

// Forward, and the gradient by the input: the same with the window turned and depth and columns exchanged.
class WinogradConvolution {
 public:
  WinogradConvolution(const ConvGeometry& geometry, Direction direction, const WinogradKernels& size);
  int64_t scratch_floats(int64_t n) const;
  // As RowsConvolution::run.
  void run(int64_t n, const float* source, const float* filters, const float* bias, Activation activation, float* target, float* scratch,
           const float* prepared) const;
  // Transformed filters for many runs; none where they are too many for a cache.
  int64_t prepared_floats() const;
  void prepare(const float* filters, float* prepared) const { transform_filters(filters, prepared); }

 private:
  struct Call;
  struct Target;
  // Points of tiles: of tile t, line g of 16 channels and point i at data + g * line + i * step + 16 t.
  struct Points {
    float* data;
    int64_t step, line;
  };
  struct Cuts {
    bool shared;      // all tiles are at hand as points before the products begin
    bool passing;     // filters are transformed where they are used, and not kept
    int64_t blocks;   // of tiles, one visit to the filters each
  };
  Cuts cut(int64_t tiles, bool prepared) const;
  int64_t points() const { return static_cast<int64_t>(size_.points) * size_.points; }
  // Steps are no powers of two: points would share places in the caches.
  int64_t point_step(int64_t tiles) const { return (tiles | 1) * kWinogradLine; }
  int64_t points_floats(int64_t tiles) const { return lines_ * points() * point_step(tiles); }
  int64_t filter_step(int64_t rows) const { return rows * width_ + kWinogradLine; }
  int64_t filter_floats() const { return panels_ * points() * filter_step(depth_); }
  int64_t product_step(int64_t tiles) const { return tiles * width_ + kWinogradLine; }
  int64_t columns_of(int64_t panel) const { return std::min(width_, columns_ - panel * width_); }
  static TileSquares squares(const ConvGeometry& geometry, Direction direction, const WinogradKernels& size, bool written);
  static int64_t list_floats(int64_t tiles) { return round_up(2 * tiles, kWinogradLine); }  // of their places
  static constexpr int64_t kFilterRows = 16;  // of the depth, transformed together
  int64_t copied_step() const { return kFilterRows * width_ + kWinogradLine; }                             // from tap to tap
  int64_t copied_floats() const { return static_cast<int64_t>(size_.taps) * size_.taps * copied_step(); }  // memory that transform_rows needs
  void list_next(const float* filters, int64_t panel, int64_t row, int64_t count, const float** lines) const;
  void transform_rows(const float* filters, int64_t panel, int64_t row, int64_t rows, float* to, int64_t step, float* memory) const;
  void transform_filters(const float* filters, float* to) const;
  void transform_tiles(const Call& call, int64_t first, int64_t count, const int64_t* places, const Points& to) const;
  int64_t panels_together(int64_t tiles) const;
  void run_panels(const Call& call, int64_t panel, int64_t end, const Points& from, const Target& to, float* memory) const;
  void finish_panel(const Call& call, int64_t panel, const Target& to, const float* products) const;

  Direction direction_;
  WinogradKernels size_;
  Batch batch_;
  TileSquares source_, target_;
  TileOrder order_;
  int64_t depth_, lines_, columns_;
  int64_t width_, panels_;  // of columns
  int64_t part_;            // of the depth, in one chain of sums
};

// The gradient by the filters.
class WinogradFilterGradient {
 public:
  WinogradFilterGradient(const ConvGeometry& geometry, const WinogradKernels& size);
  // Of a batch, in multiply-adds at the peak: measured on AVX-512, about the same elsewhere.
  double cost(int64_t n) const;
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const;

 private:
  struct Cuts;
  struct Points;
  struct Room;
  int64_t tiles(int64_t n) const { return batch_.of(n) * dy_.per_image(); }
  int64_t room_floats(int64_t round) const;
  Room room(int64_t round, float* memory) const;
  bool apart(int64_t rounds) const;
  Cuts cut(int64_t tiles) const;
  int64_t most_tiles() const;  // in a round
  Points place(int64_t round, float* at) const;
  int64_t weights() const { return static_cast<int64_t>(size_.taps) * size_.taps * c_ * oc_; }
  int64_t points() const { return static_cast<int64_t>(size_.points) * size_.points; }
  void transform(int64_t first, int64_t last, const float* x, const float* dy, const float* zeros, const int64_t* places, const Points& to,
                 bool near) const;
  void multiply(const Points& from, const WinogradRange* ranges, int64_t count, int64_t panel, int64_t range, const Cuts& cuts, float* sums, float* dw,
                bool accumulate, const Ahead& ahead) const;
  void look_ahead(const float* x, const float* dy, int64_t first, int64_t last, Ahead& ahead) const;

  WinogradKernels size_;
  Batch batch_;
  TileSquares x_, dy_;
  TileOrder order_;
  int64_t c_, oc_;
};

}  // namespace convlane
