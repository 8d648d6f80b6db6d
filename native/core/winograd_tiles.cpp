// SPDX-License-Identifier: MIT
#include "winograd_tiles.h"

#include <algorithm>

namespace convlane {

TileAxis::TileAxis(int64_t outputs, const WinogradKernels& size)
    : outputs(outputs), window(size.outputs), points(size.points), tiles(divide_up(outputs, window)) {
  const int64_t least = std::max<int64_t>(1, window - 2);
  most = std::max(least, divide_up(outputs, tiles));
  larger = most == least ? tiles : outputs - tiles * (most - 1);
}

TileAxis::Span TileAxis::span(int64_t t) const {
  const int64_t size = t < larger ? most : most - 1, begin = t * most - std::max<int64_t>(0, t - larger);
  const bool first = needs(0, size);
  return {first ? begin : begin - 1, begin, std::min(outputs, begin + size), first, needs(points - 1, size)};
}

int64_t TileAxis::points_of_all() const {
  int64_t all = 0;
  for (int64_t i = 0; i < points; ++i) all += (needs(i, most) ? larger : 0) + (needs(i, most - 1) ? tiles - larger : 0);
  return all;
}

WinogradNeeds TileSquares::list(const float* images, int64_t tile, const float* outside, float** pixels) const {
  const int64_t image = tile / per_image(), in_image = tile % per_image();
  const TileAxis::Span rows = h.span(in_image / w.tiles), columns = w.span(in_image % w.tiles);
  const int64_t top = written ? rows.begin : 0, bottom = written ? rows.end : height;
  const int64_t left = written ? columns.begin : 0, right = written ? columns.end : width;
  const int64_t first_row = rows.origin - before_h, first_column = columns.origin - before_w;
  const float* first = images + image * height * width * channels;
  // Of a row's pixels `begin` .. `end` - 1 are there.
  const int64_t begin = std::clamp<int64_t>(left - first_column, 0, size), end = std::clamp<int64_t>(right - first_column, begin, size);
  float* const none = const_cast<float*>(outside);
  for (int64_t i = first_row; i < first_row + size; ++i, pixels += size) {
    if (i < top || i >= bottom) {
      std::fill(pixels, pixels + size, none);
      continue;
    }
    std::fill(pixels, pixels + begin, none);
    float* pixel = const_cast<float*>(first) + (i * width + first_column + begin) * channels;
    for (int64_t j = begin; j < end; ++j, pixel += channels) pixels[j] = pixel;
    std::fill(pixels + end, pixels + size, none);
  }
  return {rows.first, rows.last, columns.first, columns.last};
}

// Kinds in order: larger in rows alone, in both axes, in columns alone, in none. So the larger in rows follow each other, and those in columns, and those in both.
int TileOrder::kind(int64_t tile) const {
  const int64_t in_image = tile % (h_.tiles * w_.tiles);
  const bool tall = in_image / w_.tiles < h_.larger, wide = in_image % w_.tiles < w_.larger;
  return tall ? (wide ? 1 : 0) : (wide ? 2 : 3);
}

void TileOrder::sort(int64_t first, int64_t count, int64_t* places, WinogradRange* ranges) const {
  int64_t ends[kKinds] = {}, at[kKinds] = {};
  for (int64_t t = 0; t < count; ++t) ++ends[kind(first + t)];
  for (int k = 1; k < kKinds; ++k) {
    at[k] = ends[k - 1];
    ends[k] += ends[k - 1];
  }
  for (int64_t t = 0; t < count; ++t) places[t] = at[kind(first + t)]++;
  for (int64_t i = 0; ranges != nullptr && i < h_.points; ++i) {
    for (int64_t j = 0; j < w_.points; ++j) {
      int64_t begin = 0, end = count;
      if (!h_.needs(i, h_.most - 1)) end = ends[1];
      if (!w_.needs(j, w_.most - 1)) {
        begin = ends[0];
        end = std::min(end, ends[2]);
      }
      const bool none = !h_.needs(i, h_.most) || !w_.needs(j, w_.most);
      *ranges++ = {begin, none ? 0 : end - begin};
    }
  }
}

}  // namespace convlane
