// SPDX-License-Identifier: MIT
// Walks over the pixels of images of one size, row by row.
#pragma once
#include <cstdint>

namespace convlane {

struct PixelWalk {
  int64_t size_d, size_h, size_w;
  int64_t n = 0, d = 0, h = 0, w = 0;

  PixelWalk(int64_t size_d, int64_t size_h, int64_t size_w) : size_d(size_d), size_h(size_h), size_w(size_w) {}
  int64_t image_pixels() const { return size_d * size_h * size_w; }
  void go(int64_t pixel) {
    n = pixel / image_pixels();
    w = pixel % size_w;
    h = pixel / size_w % size_h;
    d = pixel / size_w / size_h % size_d;
  }
  // Pixels that follow in the same row of the same image.
  int64_t together() const { return size_w - w; }
  // By no more than together().
  void advance(int64_t pixels) {
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
