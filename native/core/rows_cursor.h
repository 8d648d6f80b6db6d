// SPDX-License-Identifier: MIT
// Walks over the pixels of one phase of a convolution's target: image by image and row by row, or position by position and there from image to image.
#pragma once
#include "pixel_walk.h"
#include "rows_axis.h"

namespace convlane {

struct RowsCursor : PixelWalk {
  int64_t images;
  bool across;  // images are the inner loop
  int64_t phase_d, phase_h, phase_w;
  bool point;   // the phase has a single tap, and it lies inside for all pixels

  RowsCursor(const RowsAxis& axis_d, const RowsAxis& axis_h, const RowsAxis& axis_w, int64_t images, bool across, int64_t phase)
      : RowsCursor(axis_d, axis_h, axis_w, images, across, phase / axis_w.phases() / axis_h.phases(), phase / axis_w.phases() % axis_h.phases(),
                   phase % axis_w.phases()) {}

  int64_t pixels() const { return images * image_pixels(); }
  void go(int64_t pixel) {
    PixelWalk::go(across ? pixel / images : pixel);
    if (across) n = pixel % images;
  }
  int64_t together() const { return across ? 1 : PixelWalk::together(); }
  void advance(int64_t pixels) {
    if (across) {
      if (++n < images) return;
      n = 0;
    }
    PixelWalk::advance(pixels);
  }

 private:
  RowsCursor(const RowsAxis& axis_d, const RowsAxis& axis_h, const RowsAxis& axis_w, int64_t images, bool across, int64_t phase_d, int64_t phase_h,
             int64_t phase_w)
      : PixelWalk(axis_d.positions(phase_d), axis_h.positions(phase_h), axis_w.positions(phase_w)),
        images(images),
        across(across),
        phase_d(phase_d),
        phase_h(phase_h),
        phase_w(phase_w),
        point(axis_d.point(phase_d) && axis_h.point(phase_h) && axis_w.point(phase_w)) {}
};

}  // namespace convlane
