// SPDX-License-Identifier: MIT
#include "few_channels.h"

#include <cstring>

namespace convlane {

namespace {

constexpr double kMostBandFloats = 8 << 20;  // of a thread's copy
constexpr int64_t kLeastLine = 12;           // pixels of a line that make a tile: a call for each line of 7 or 8 takes longer than its padding
constexpr int64_t kHeldTerms = 9;            // so few are held in registers by a kernel of their own: `few_rows_held`, which takes all of them or none

Axis turned(const Axis& axis) {
  Axis other = axis;
  std::swap(other.in, other.out);
  other.before = axis.extent() - 1 - axis.before;
  return other;
}

ConvGeometry seen_from_few(const ConvGeometry& geometry, bool mirrored) {
  ConvGeometry g = geometry;
  if (!mirrored) return g;
  g.d = turned(geometry.d);
  g.h = turned(geometry.h);
  g.w = turned(geometry.w);
  std::swap(g.c, g.oc);
  return g;
}

bool mirrors(const ConvGeometry& g) { return g.oc < g.c && g.oc <= kFewChannels && g.d.stride == 1 && g.h.stride == 1 && g.w.stride == 1; }

// memcpy by a call costs more than the few floats of a small image's row.
void copy_floats(const float* from, float* to, int64_t count) {
  constexpr int64_t kPiece = 8;
  if (count >= 128) {
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
  } else if (count >= kPiece) {
    for (int64_t i = 0; i + kPiece <= count; i += kPiece) std::memcpy(to + i, from + i, kPiece * sizeof(float));
    std::memcpy(to + count - kPiece, from + count - kPiece, kPiece * sizeof(float));  // the rest, and some of it again
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = from[i];
  }
}

}  // namespace

bool FewChannels::fits(const ConvGeometry& g) {
  if (g.groups != 1 || (!mirrors(g) && g.c > kFewChannels)) return false;
  const ConvGeometry few = seen_from_few(g, mirrors(g));
  const BandSizes band(few, kBandPixels);
  return static_cast<double>(few.d.kernel) * static_cast<double>(band.rows) * static_cast<double>(band.row_floats) <= kMostBandFloats;
}

FewChannels::FewChannels(const ConvGeometry& geometry) : g(seen_from_few(geometry, mirrors(geometry))), mirrored(mirrors(geometry)) {}

void FewChannels::to_terms(const float* weights, float* terms) const {
  const int64_t taps = g.taps();
  for (int64_t tap = 0; tap < taps; ++tap) {
    const float* from = weights + (taps - 1 - tap) * g.oc * g.c;
    for (int64_t few = 0; few < g.c; ++few) {
      for (int64_t many = 0; many < g.oc; ++many) *terms++ = from[many * g.c + few];
    }
  }
}

void FewChannels::from_terms(const float* terms, float* weights) const {
  const int64_t taps = g.taps();
  for (int64_t tap = 0; tap < taps; ++tap) {
    float* to = weights + (taps - 1 - tap) * g.oc * g.c;
    for (int64_t few = 0; few < g.c; ++few) {
      for (int64_t many = 0; many < g.oc; ++many) to[many * g.c + few] = *terms++;
    }
  }
}

BandSizes::BandSizes(const ConvGeometry& g, int64_t pixels)
    : columns(divide_up(g.w.out, divide_up(g.w.out, pixels))),
      lines(divide_up(g.h.out, divide_up(g.h.out, std::max<int64_t>(1, pixels / g.w.out)))),
      rows((lines - 1) * g.h.stride + g.h.extent()),
      row_floats(((columns - 1) * g.w.stride + g.w.extent()) * g.c) {}

FewBands::FewBands(const ConvGeometry& g, int64_t pixels)
    : g_(g), size_(g, pixels), bands_w_(divide_up(g.w.out, size_.columns)), bands_h_(divide_up(g.h.out, size_.lines)) {
  for (int64_t h = 0; h < size_.lines; ++h) {
    for (int64_t w = 0; w < size_.columns; ++w) pixels_.push_back(static_cast<int32_t>(h * g.h.stride * size_.row_floats + w * g.w.stride * g.c));
  }
  for (int64_t d = 0; d < g.d.kernel; ++d) {
    for (int64_t h = 0; h < g.h.kernel; ++h) {
      for (int64_t w = 0; w < g.w.kernel; ++w) {
        for (int64_t c = 0; c < g.c; ++c) {
          terms_.push_back(static_cast<int32_t>((d * size_.rows + h * g.h.dilation) * size_.row_floats + w * g.w.dilation * g.c + c));
        }
      }
    }
  }
}

FewBands::Stretch FewBands::source(int64_t number, const float* few) const {
  if (bands_w_ > 1 || g_.d.in > 1 || g_.d.out > 1) return {few, 0};
  const int64_t first_h = number % bands_h_ * size_.lines, image = number / bands_h_, lines = std::min(size_.lines, g_.h.out - first_h);
  const int64_t begin = std::clamp(g_.h.source(first_h, 0), int64_t{0}, g_.h.in);
  const int64_t end = std::clamp(g_.h.source(first_h + lines - 1, 0) + g_.h.extent(), begin, g_.h.in);
  return {few + (image * g_.h.in + begin) * g_.w.in * g_.c, (end - begin) * g_.w.in * g_.c};
}

FewBands::Band FewBands::copy(int64_t number, const float* few, float* to, bool again) const {
  const bool padded = again && bands_w_ == 1 && bands_h_ == 1 && planes() == 1;  // whole images: the zeros lie where those of the last one did
  const int64_t first_w = number % bands_w_ * size_.columns, first_h = number / bands_w_ % bands_h_ * size_.lines;
  const int64_t at_d = number / bands_w_ / bands_h_ % g_.d.out, image = number / bands_w_ / bands_h_ / g_.d.out;
  const int64_t lines = std::min(size_.lines, g_.h.out - first_h), columns = std::min(size_.columns, g_.w.out - first_w);
  const int64_t rows = (lines - 1) * g_.h.stride + g_.h.extent(), start = g_.w.source(first_w, 0), width = size_.row_floats / g_.c;
  const int64_t begin = std::clamp(-start, int64_t{0}, width), end = std::clamp(g_.w.in - start, begin, width);  // pixels of a row that lie inside
  const int64_t before = begin * g_.c, inside = (end - begin) * g_.c, after = (width - end) * g_.c;
  for (int64_t k = 0; k < planes(); ++k) {
    const int64_t d = g_.d.source(at_d, k);
    float* row = to + k * size_.rows * size_.row_floats;
    for (int64_t h = g_.h.source(first_h, 0), last = h + rows; h < last; ++h, row += size_.row_floats) {
      if (d < 0 || d >= g_.d.in || h < 0 || h >= g_.h.in) {
        if (!padded || d < 0 || d >= g_.d.in) std::fill(row, row + size_.row_floats, 0.0f);
        continue;
      }
      if (!padded) std::fill(row, row + before, 0.0f);
      copy_floats(few + (((image * g_.d.in + d) * g_.h.in + h) * g_.w.in + start + begin) * g_.c, row + before, inside);
      if (!padded) std::fill(row + before + inside, row + before + inside + after, 0.0f);
    }
  }
  return {((image * g_.d.out + at_d) * g_.h.out + first_h) * g_.w.out + first_w, lines * columns};
}

FewBands::Alike FewBands::alike(int64_t number, int64_t first, int64_t pixels) const {
  const int64_t terms = static_cast<int64_t>(terms_.size()), line = g_.w.kernel * g_.c;
  const Alike all{pixels - first, 0, terms};
  if (bands_w_ > 1 || planes() > 1 || g_.w.out < kLeastLine || terms <= kHeldTerms) return all;
  const int64_t begin = number % bands_h_ * size_.lines, end = begin + pixels / g_.w.out;
  int64_t h = begin + first / g_.w.out;
  const TapRange rows = taps_inside(g_.h, h);
  while (++h < end) {
    const TapRange next = taps_inside(g_.h, h);
    if (next.first != rows.first || next.last != rows.last) break;
  }
  if (rows.count() == 0) return all;
  return {(h - begin) * g_.w.out - first, rows.first * line, rows.count() * line};
}

}  // namespace convlane
