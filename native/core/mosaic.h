// SPDX-License-Identifier: MIT
// The tiles of a batch of small images: images lie side by side on a plane with a gap that both neighbours share as padding, and tiles are cut from the
// plane, so that they needn't end where an image does. 14 outputs are three tiles of six alone, and 2.5 on a plane of two.
#pragma once
#include "geometry.h"
#include "parallel.h"

namespace convlane {

// One axis of a plane of up to `images` images: image i has its first output, and its first pixel, at i * pitch.
struct MosaicAxis {
  int64_t images, pitch, outputs, step;  // outputs of an image, and of a tile
  int64_t whole;                         // tiles of all images

  // `apart`: each image has a plane of its own.
  MosaicAxis(int64_t in, int64_t out, int64_t before, int64_t taps, int64_t step, bool apart);
  int64_t tiles(int64_t count) const { return divide_up((count - 1) * pitch + outputs, step); }  // of the first `count` images
  double per_image() const { return static_cast<double>(whole) / static_cast<double>(images); }
};

// Where an image lies, and so how its outputs are cut into tiles, follows from its number in the batch alone. Planes are filled column by column of images.
struct Mosaic {
  MosaicAxis h, w;

  int64_t plane_images() const { return h.images * w.images; }
  int64_t tiles(int64_t n) const;
};

// Squares of size x size pixels at the tiles of a mosaic, beginning `before` above and left of the tile's first output.
struct MosaicSquares {
  Mosaic mosaic;
  int64_t height, width, channels, size, before_h, before_w;

  // Pointers to the pixels of a tile's square in a batch of n; `outside` where there is none. True where all are pixels.
  bool list(const float* images, int64_t n, int64_t tile, const float* outside, float** pixels) const;
};

}  // namespace convlane
