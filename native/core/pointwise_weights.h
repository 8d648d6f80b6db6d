// SPDX-License-Identifier: MIT
// Weight gradients of 1 x 1 windows without padding, any stride, between many channels: dw[c][oc] = sum over pixels of x[pixel][c] · dy[pixel][oc]. Read where
// they lie, x and dy would have every tile fetch a few lines from each distant pixel; so block by block of the pixels both are packed in the order in which the
// tiles read them, each block while the one before it is multiplied.
#pragma once
#include "geometry.h"
#include "panels.h"

namespace convlane {

bool pointwise_weights_fit(const ConvGeometry& geometry);

class PointwiseWeights {
 public:
  explicit PointwiseWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const;  // db, the sums of dy, or null

 private:
  // Chunks are splits x pieces of dw. A split is a stretch of the pixels with a dw of its own; a piece is a range of strips of channels by a range of panels.
  struct Cuts {
    int64_t splits, strip_ranges, panel_ranges;
  };
  struct Piece {
    int64_t first_strip, last_strip, first_panel, last_panel;
  };
  // Pixels that are packed: strips of x, [strip][pixel][row of the tile], and panels of dy, [panel][pixel][column].
  struct Block {
    int64_t first = 0, count = 0;
    float *strips = nullptr, *panels = nullptr;
  };
  Cuts cut(int64_t n) const;
  int64_t pixels(int64_t n) const { return geometry_.batch.of(n) * geometry_.out_pixels(); }
  int64_t channels(const Piece& piece) const { return std::min(piece.last_strip * rows_, geometry_.c) - piece.first_strip * rows_; }
  int64_t columns(const Piece& piece) const { return std::min(panels_.first(piece.last_panel), geometry_.oc) - panels_.first(piece.first_panel); }
  void add_piece(const Piece& piece, const float* x, const float* dy, int64_t first, int64_t last, float* memory, float* dw, float* db) const;
  void pack(const Piece& piece, const float* x, const float* dy, const Block& block, int64_t begin) const;
  int64_t block_floats(const Piece& piece) const;

  ConvGeometry geometry_;
  Panels panels_;   // of the channels of dy
  int32_t rows_;    // of a tile
  int64_t strips_;  // of the channels of x: as many as a tile has rows
};

}  // namespace convlane
