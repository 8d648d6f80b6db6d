// SPDX-License-Identifier: MIT
#include "mosaic.h"

#include <algorithm>

namespace convlane {

namespace {

constexpr int64_t kMostImages = 4;   // along an axis: with more, a tile gains nothing, and a small batch fills no plane
constexpr double kGain = 0.93;       // tiles of an image with and without neighbours: where less is gained, each image keeps its own tiles
constexpr int64_t kMostSize = 8;

// The image along an axis and the line in it of each of `size` positions from `from` on; -1 where there is none.
struct Lines {
  int64_t image[kMostSize], line[kMostSize];
  bool complete = true;

  Lines(int64_t from, int64_t size, const MosaicAxis& axis, int64_t limit) {
    int64_t number = from < 0 || axis.images == 1 ? 0 : from / axis.pitch, at = from - number * axis.pitch;
    for (int64_t i = 0; i < size; ++i, ++at) {
      if (at == axis.pitch) {
        at = 0;
        ++number;
      }
      const bool inside = at >= 0 && at < limit && number < axis.images;
      complete = complete && inside;
      image[i] = number;
      line[i] = inside ? at : -1;
    }
  }
};

}  // namespace

// No window reads beyond its own image and the gaps around it.
MosaicAxis::MosaicAxis(int64_t in, int64_t out, int64_t before, int64_t taps, int64_t step, bool apart)
    : images(1), pitch(std::max({in, out, in + before, out + taps - 1 - before})), outputs(out), step(step), whole(tiles(1)) {
  double least = kGain * static_cast<double>(whole);
  for (int64_t count = 2; count <= (apart ? 1 : kMostImages); ++count) {
    const double each = static_cast<double>(tiles(count)) / static_cast<double>(count);
    if (each >= least) continue;
    least = each;
    images = count;
    whole = tiles(count);
  }
}

int64_t Mosaic::tiles(int64_t n) const {
  const int64_t rest = n % plane_images(), full = n / plane_images() * h.whole * w.whole;
  return rest == 0 ? full : full + h.tiles(std::min(rest, h.images)) * w.tiles(divide_up(rest, h.images));
}

bool MosaicSquares::list(const float* images, int64_t n, int64_t tile, const float* outside, float** pixels) const {
  const MosaicAxis &h = mosaic.h, &w = mosaic.w;
  const int64_t most = mosaic.plane_images(), plane = tile / (h.whole * w.whole), on_plane = tile - plane * h.whole * w.whole;
  const int64_t count = std::min(most, n - plane * most);
  const int64_t columns = count == most ? w.whole : w.tiles(divide_up(count, h.images)), tile_row = on_plane / columns;
  const Lines rows(tile_row * h.step - before_h, size, h, height), cols((on_plane - tile_row * columns) * w.step - before_w, size, w, width);
  const float* first = images + plane * most * height * width * channels;
  int64_t offset[kMostSize];  // of a column in its row of images
  for (int64_t j = 0; j < size; ++j) offset[j] = (cols.image[j] * h.images * height * width + cols.line[j]) * channels;
  const bool complete = rows.complete && cols.complete && count == most;
  bool all = true;
  for (int64_t i = 0; i < size; ++i, pixels += size) {
    const float* row = first + (rows.image[i] * height + rows.line[i]) * width * channels;
    for (int64_t j = 0; complete && j < size; ++j) pixels[j] = const_cast<float*>(row + offset[j]);
    for (int64_t j = 0; !complete && j < size; ++j) {
      const bool inside = rows.line[i] >= 0 && cols.line[j] >= 0 && cols.image[j] * h.images + rows.image[i] < count;
      all = all && inside;
      pixels[j] = const_cast<float*>(inside ? row + offset[j] : outside);
    }
  }
  return all;
}

}  // namespace convlane
