// SPDX-License-Identifier: MIT
// Walks over the pixels of one phase of a convolution's target: image by image and row by row, or position by position and there from image to image.
#pragma once
#include "rows_axis.h"

namespace convlane {

struct RowsCursor {
  int64_t images;
  bool across;  // images are the inner loop
  int64_t phase_d, phase_h, phase_w;
  int64_t size_d, size_h, size_w;
  bool point;   // the phase has a single tap, and it lies inside for all pixels
  int64_t n = 0, d = 0, h = 0, w = 0;

  RowsCursor(const RowsAxis& axis_d, const RowsAxis& axis_h, const RowsAxis& axis_w, int64_t images, bool across, int64_t phase)
      : images(images),
        across(across),
        phase_d(phase / axis_w.phases() / axis_h.phases()),
        phase_h(phase / axis_w.phases() % axis_h.phases()),
        phase_w(phase % axis_w.phases()),
        size_d(axis_d.positions(phase_d)),
        size_h(axis_h.positions(phase_h)),
        size_w(axis_w.positions(phase_w)),
        point(axis_d.point(phase_d) && axis_h.point(phase_h) && axis_w.point(phase_w)) {}
  int64_t image_pixels() const { return size_d * size_h * size_w; }
  int64_t pixels() const { return images * image_pixels(); }
  void go(int64_t pixel) {
    const int64_t position = across ? pixel / images : pixel % image_pixels();
    n = across ? pixel % images : pixel / image_pixels();
    w = position % size_w;
    h = position / size_w % size_h;
    d = position / size_w / size_h;
  }
  // Pixels that follow in the same row of the same image.
  int64_t together() const { return across ? 1 : size_w - w; }
  // By no more than together().
  void advance(int64_t pixels) {
    if (across) {
      if (++n < images) return;
      n = 0;
    }
    w += pixels;
    if (w < size_w) return;
    w = 0;
    if (++h < size_h) return;
    h = 0;
    if (++d < size_d) return;
    d = 0;
    ++n;
  }
};

}  // namespace convlane
