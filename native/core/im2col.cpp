// SPDX-License-Identifier: MIT
#include "im2col.h"

#include <algorithm>
#include <cstring>

#include "panels.h"
#include "pixel_walk.h"

namespace convlane {

namespace {

constexpr int64_t kColumnFloats = 64 << 10;  // of one block: they are read again while in L2

// memcpy by a call costs more than the few floats of a patch row.
void copy_floats(const float* from, float* to, int64_t count) {
  if (count >= 64) {
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
    return;
  }
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) std::memcpy(to + i, from + i, 4 * sizeof(float));
  for (; i < count; ++i) to[i] = from[i];
}

void zero_floats(float* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = 0.0f;
}

}  // namespace

void copy_patches(const ConvGeometry& g, const float* x, int64_t group, int64_t begin, int64_t end, int64_t first_row, int64_t last_row, float* to) {
  const int64_t depth = g.group_c(), row_floats = g.w.kernel * depth;
  const bool contiguous = g.groups == 1 && g.w.dilation == 1;
  PixelWalk pixel(g.d.out, g.h.out, g.w.out);
  pixel.go(begin);
  for (int64_t p = begin; p < end; ++p, pixel.advance(1)) {
    const TapRange taps = taps_inside(g.w, pixel.w);
    const int64_t w = g.w.source(pixel.w, taps.first);
    for (int64_t r = first_row; r < last_row; ++r, to += row_floats) {
      const int64_t d = g.d.source(pixel.d, r / g.h.kernel), h = g.h.source(pixel.h, r % g.h.kernel);
      if (d < 0 || d >= g.d.in || h < 0 || h >= g.h.in) {
        zero_floats(to, row_floats);
        continue;
      }
      const float* from = x + (((pixel.n * g.d.in + d) * g.h.in + h) * g.w.in + w) * g.c + group * depth;
      zero_floats(to, taps.first * depth);
      if (contiguous) {
        copy_floats(from, to + taps.first * depth, taps.count() * depth);
      } else {
        for (int64_t k = taps.first; k < taps.last; ++k, from += g.w.dilation * g.c) copy_floats(from, to + k * depth, depth);
      }
      zero_floats(to + taps.last * depth, (g.w.kernel - taps.last) * depth);
    }
  }
}

ColumnsToImage::ColumnsToImage(const ConvGeometry& geometry) : geometry_(geometry), columns_(geometry.taps() * geometry.group_c()) {}

int64_t ColumnsToImage::scratch_floats(int64_t) const {
  const Panels panels(columns_);
  return geometry_.groups * panels.count * geometry_.group_oc() * panels.width;
}

// One chunk is one image, so that the order of the sums is fixed and no two threads meet.
void ColumnsToImage::run(int64_t n, const float* dy, const float* weights, const float* bias, Activation activation, float* dx, float* scratch) const {
  const KernelTable& table = kernels();
  const ConvGeometry& g = geometry_;
  const Panels panels(columns_);
  const int64_t depth = g.group_oc(), panel_floats = depth * panels.width;
  parallel_blocks(g.groups * panels.count, std::max<int64_t>(1, kElementGrain / panel_floats), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t group = item / panels.count, panel = item % panels.count;
      table.pack_transposed(weights + panels.first(panel) * g.oc + group * depth, g.oc, depth, panels.columns_of(panel), panels.padded_of(panel),
                            scratch + item * panel_floats, panels.width);
    }
  });

  const int32_t m = panels.rows;
  const int64_t block = round_up(std::clamp(kColumnFloats / columns_, int64_t{1}, int64_t{256}), m);
  parallel_with_scratch(g.batch.of(n), block * columns_, [&](int64_t image, float* columns) {
    float* dx_image = dx + image * g.in_pixels() * g.c;
    if (bias == nullptr) {
      std::fill(dx_image, dx_image + g.in_pixels() * g.c, 0.0f);
    } else {
      for (int64_t pixel = 0; pixel < g.in_pixels(); ++pixel) copy_floats(bias, dx_image + pixel * g.c, g.c);
    }
    for (int64_t begin = 0; begin < g.out_pixels(); begin += block) {
      const int64_t end = std::min(begin + block, g.out_pixels());
      for (int64_t group = 0; group < g.groups; ++group) {
        for (int64_t panel = 0; panel < panels.count; ++panel) {
          const GemmRun run{scratch + (group * panels.count + panel) * panel_floats, depth};
          for (int64_t p = begin; p < end; p += m) {
            const float* rows[kMaxRows];
            float* out[kMaxRows];
            GemmRowsArgs args{};
            args.m = static_cast<int32_t>(std::min<int64_t>(m, end - p));
            for (int32_t i = 0; i < args.m; ++i) {
              rows[i] = dy + (image * g.out_pixels() + p + i) * g.oc + group * depth;
              out[i] = columns + (p + i - begin) * columns_;
            }
            args.rows = rows;
            args.runs = &run;
            args.run_count = 1;
            args.ldb = panels.width;
            args.out = out;
            args.out_offset = panels.first(panel);
            args.vectors = panels.vectors_of(panel);
            args.columns = panels.columns_of(panel);
            table.gemm_rows(args);
          }
        }
        for (int64_t p = begin; p < end; ++p) add_columns(columns + (p - begin) * columns_, p, group, dx_image);
      }
    }
    if (activation != Activation::linear) table.activate(activation, dx_image, dx_image, g.in_pixels() * g.c);
  });
}

// Adds one output pixel's columns to one image.
void ColumnsToImage::add_columns(const float* columns, int64_t number, int64_t group, float* dx) const {
  const ConvGeometry& g = geometry_;
  PixelWalk pixel(g.d.out, g.h.out, g.w.out);
  pixel.go(number);
  const int64_t depth = g.group_c();
  const bool contiguous = g.groups == 1 && g.w.dilation == 1;
  const TapRange taps = taps_inside(g.w, pixel.w);
  const int64_t w = g.w.source(pixel.w, taps.first);
  for (int64_t r = 0; r < g.d.kernel * g.h.kernel; ++r, columns += g.w.kernel * depth) {
    const int64_t d = g.d.source(pixel.d, r / g.h.kernel), h = g.h.source(pixel.h, r % g.h.kernel);
    if (d < 0 || d >= g.d.in || h < 0 || h >= g.h.in) continue;
    float* to = dx + ((d * g.h.in + h) * g.w.in + w) * g.c + group * depth;
    const float* from = columns + taps.first * depth;
    if (contiguous) {
      kernels().axpy(1.0f, from, to, taps.count() * depth);
    } else {
      for (int64_t k = taps.first; k < taps.last; ++k, from += depth, to += g.w.dilation * g.c) kernels().axpy(1.0f, from, to, depth);
    }
  }
}

}  // namespace convlane
