// SPDX-License-Identifier: MIT
// How images are cut into the tiles of Winograd's F(m, r). A tile of m outputs takes n = m + r - 1 points on each axis. The last output alone reads the last
// pixel, and alone takes something from the point at infinity; the first alone reads the first pixel, and takes from the point 0. So where the last output
// isn't wanted, or neither of these two is, the products of these points needn't be computed: tiles of m - 1 and m - 2 outputs are cheaper by a point and
// by two. Hence an axis is cut evenly, into tiles of two neighbouring sizes, and they end where it does.
#pragma once
#include "geometry.h"
#include "parallel.h"

namespace convlane {

// One axis of an image. Larger tiles first: `larger` of `most` outputs, the others of one less.
struct TileAxis {
  int64_t outputs, window, points;  // of the axis; of a whole tile, n and m
  int64_t tiles, most, larger;

  TileAxis(int64_t outputs, const WinogradKernels& size);
  // Outputs begin .. end - 1 are tile t's, which computes as many as a whole one, from `origin` on.
  struct Span {
    int64_t origin, begin, end;
    bool first, last;  // whether it needs the points 0 and infinity
  };
  Span span(int64_t t) const;
  // Whether tiles that want `wanted` outputs need a point.
  bool needs(int64_t point, int64_t wanted) const { return !(point == points - 1 && wanted < window) && !(point == 0 && wanted < window - 1); }
  int64_t points_of_all() const;    // that are needed
};

// Squares of size x size pixels at the tiles of images: what the tiles read, beginning `before` above and left of the first output, or what they write.
struct TileSquares {
  TileAxis h, w;
  int64_t height, width, channels, size;
  bool written;
  int64_t before_h = 0, before_w = 0;

  int64_t per_image() const { return h.tiles * w.tiles; }
  int64_t floats() const { return height * width * channels; }  // of an image
  // Pointers to the pixels of a tile's square; `outside` where there is none. What the tile needs.
  WinogradNeeds list(const float* images, int64_t tile, const float* outside, float** pixels) const;
};

// The tiles of a block in an order in which those that need a point follow each other.
class TileOrder {
 public:
  TileOrder(const TileAxis& h, const TileAxis& w) : h_(h), w_(w) {}
  // The place in this order of each of the `count` tiles from `first` on; and, if not null, the range of places that need each of the n x n points.
  void sort(int64_t first, int64_t count, int64_t* places, WinogradRange* ranges) const;

 private:
  static constexpr int kKinds = 4;  // of tiles: larger in rows or not, in columns or not
  int kind(int64_t tile) const;

  TileAxis h_, w_;
};

}  // namespace convlane
