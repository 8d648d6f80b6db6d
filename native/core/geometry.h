// SPDX-License-Identifier: MIT
// Sizes of convolutions and pooling, checked once. Three axes (depth, height, width); ops of fewer have a depth, and a height, of one.
#pragma once
#include <algorithm>

#include "checks.h"

namespace convlane {

// Whether a position, of a window's tap for instance, lies in 0 .. size-1.
inline bool inside(int64_t position, int64_t size) { return static_cast<uint64_t>(position) < static_cast<uint64_t>(size); }

// One axis of a sliding window. All sizes are below 2^31, so sums and products of two of them fit.
struct Axis {
  int64_t in = 1, out = 1, kernel = 1;
  int64_t stride = 1, before = 0, after = 0, dilation = 1;

  // Position in the input (or outside of it) that tap k of output position o reads.
  int64_t source(int64_t o, int64_t k) const { return o * stride - before + k * dilation; }
  // Whether a single window covers the input, and nothing but it.
  bool covered() const { return out == 1 && in == kernel && in == extent() && before == 0; }
  // How far the window reaches, and the sizes of the output that follow.
  int64_t extent() const { return (kernel - 1) * dilation + 1; }
  int64_t floor_size() const;
  int64_t ceil_size() const;
};

// Taps first .. last-1 of one window lie inside 0 .. limit-1.
struct TapRange {
  int64_t first, last;
  int64_t count() const { return last - first; }
};
TapRange taps_inside(const Axis& axis, int64_t o, int64_t limit);
inline TapRange taps_inside(const Axis& axis, int64_t o) { return taps_inside(axis, o, axis.in); }

// Batch of an operand: `capacity` rows, or the run's n where batched.
struct Batch {
  int64_t capacity = 1;
  bool batched = false;
  int64_t of(int64_t n) const { return batched ? n : capacity; }
};

struct ConvGeometry {
  Batch batch;
  Axis d, h, w;
  int64_t c = 1, oc = 1, groups = 1;
  bool folds = true;  // not where each channel of x has a bias

  int64_t taps() const { return d.kernel * h.kernel * w.kernel; }
  int64_t group_c() const { return c / groups; }
  int64_t group_oc() const { return oc / groups; }
  int64_t in_pixels() const { return d.in * h.in * w.in; }      // per image
  int64_t out_pixels() const { return d.out * h.out * w.out; }  // per image
  int64_t weights() const { return taps() * group_c() * oc; }
  // Multiply-adds of any of the three passes, padding counted. A double: it may exceed 64 bits.
  double work(int64_t n) const { return static_cast<double>(batch.of(n)) * static_cast<double>(out_pixels()) * static_cast<double>(weights()); }

  // The same convolution of the same memory, with the innermost axes that a window covers whole, and nothing but them, among the channels: a window as large as
  // the image makes a product of matrices.
  ConvGeometry folded() const;
  // Whether nothing but channels is left: y = x · w.
  bool dense() const { return groups == 1 && taps() == 1 && d.covered() && h.covered() && w.covered(); }
};

struct PoolGeometry {
  Batch batch;
  Axis d, h, w;
  int64_t c = 1;

  int64_t in_elements() const { return d.in * h.in * w.in * c; }      // per image
  int64_t out_elements() const { return d.out * h.out * w.out * c; }  // per image
  // The most taps of one window that can lie inside, and the most windows that can cover one input position.
  int64_t most_taps() const { return std::min(d.kernel, d.in) * std::min(h.kernel, h.in) * std::min(w.kernel, w.in); }
  int64_t most_windows() const { return std::min(d.kernel, d.out) * std::min(h.kernel, h.out) * std::min(w.kernel, w.out); }
};

// The axes that an op slides over, 1 to 3: the digit in its name.
int32_t spatial_axes(const StepSpec& spec);
// Geometry of a convolution from the names of its operands that play x, w and y (dx, dw and dy in the gradients).
ConvGeometry conv_geometry(const StepSpec& spec, const char* x, const char* w, const char* y);
// The same for pooling; `y` may be of the floor or of the ceil size.
PoolGeometry pool_geometry(const StepSpec& spec, const char* x, const char* y);

}  // namespace convlane
