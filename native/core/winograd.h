// SPDX-License-Identifier: MIT
// Winograd's minimal filtering on NHWC: fewer multiplications for windows of 3x3 and 5x5 with stride 1. In each of n x n points the tiles of a batch make
// one matrix product: tiles x depth by depth x columns.
#pragma once
#include "geometry.h"
#include "panels.h"
#include "rows_convolution.h"

namespace convlane {

// The kernels of F(outputs x outputs, taps x taps), or null where the convolution has none: 2-D, one group, stride and dilation 1, a square window.
const WinogradKernels* winograd_kernels(const ConvGeometry& geometry, int64_t outputs);

// A plane of channels-last pixels cut into squares of size x size; square (i, j) begins at pixel (i, j) * step - before.
struct TilesOf {
  int64_t height, width, channels;
  int64_t step, size, before_h, before_w;
  int64_t rows, columns;  // of tiles

  int64_t per_image() const { return rows * columns; }
  // Pointers to the pixels of a tile; `outside` where there is none.
  void list(const float* images, int64_t tile, const float* outside, float** pixels) const;
};

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
  struct Cuts {
    int64_t block, blocks;  // tiles in one visit to the filters
    int64_t panel_chunks;
    bool shared;            // all tiles are at hand as points before the products begin
    bool passing;           // filters are transformed where they are used, and not kept
    int64_t stored;         // tiles whose points are kept together
  };
  // Rows first .. first + length - 1 of a panel's filters: those of point i at data + i * step.
  struct FilterRows {
    const float* data;
    int64_t step;
    int64_t first, length;
  };
  Cuts cut(int64_t tiles) const;
  int64_t filter_point_floats() const { return depth_ * panels_.width + 16; }      // not a power of two apart: planes of points would share cache lines' places
  int64_t point_floats(int64_t stored) const { return stored * depth_ + 16; }
  int64_t product_floats(int64_t block) const { return block * panels_.width + 16; }
  int64_t points() const { return static_cast<int64_t>(size_.points) * size_.points; }
  int64_t filter_floats() const { return panels_.count * points() * filter_point_floats(); }
  int64_t copied_floats() const;  // memory that transform_rows needs
  void transform_rows(const float* filters, int64_t panel, int64_t row, int64_t rows, float* to, int64_t step, float* memory) const;
  void transform_filters(const float* filters, float* to) const;
  void transform_tiles(const Call& call, int64_t first, int64_t last, float* to, int64_t step) const;
  void multiply(int64_t count, const float* from, int64_t step, const FilterRows& filters, int64_t panel, float* products) const;
  void put_out(const Call& call, int64_t first, int64_t count, int64_t panel, float* products, float* dummy) const;

  Direction direction_;
  WinogradKernels size_;
  Batch batch_;
  TilesOf source_, target_;
  int64_t depth_, columns_;
  Panels panels_;
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
  struct Tiles;
  struct Cuts;
  struct Points;
  struct Ahead;
  Tiles tiles(int64_t n) const;
  Cuts cut(int64_t tiles) const;
  int64_t most_tiles() const;  // in a round
  Points place(int64_t round, float* at) const;
  int64_t weights() const { return static_cast<int64_t>(size_.taps) * size_.taps * c_ * oc_; }
  int64_t points() const { return static_cast<int64_t>(size_.points) * size_.points; }
  void transform(const Tiles& tiles, const float* x, const float* dy, const float* zeros, int64_t first, int64_t last, const Points& to, int64_t at) const;
  void multiply(const Points& from, int64_t count, int64_t panel, int64_t range, const Cuts& cuts, float* sums, float* dw, bool accumulate, const Ahead& ahead) const;
  void look_ahead(const Tiles& tiles, const float* x, const float* dy, int64_t first, int64_t last, Ahead& ahead) const;

  WinogradKernels size_;
  Batch batch_;
  Axis h_, w_;
  int64_t c_, oc_;
};

}  // namespace convlane
