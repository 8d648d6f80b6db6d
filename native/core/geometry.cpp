// SPDX-License-Identifier: MIT
#include "geometry.h"

#include <algorithm>

#include "parallel.h"

namespace convlane {

namespace {

constexpr int64_t kMaxSize = (int64_t{1} << 31) - 1;

void check_sizes(const StepSpec& spec, const char* name, const Operand& operand) {
  for (int32_t axis = 0; axis < operand.rank; ++axis) {
    if (operand.shape[axis] > kMaxSize) refuse(spec, std::string(name) + " has a size above 2147483647: " + shape_text(operand));
  }
}

// Attributes that both kinds of window have, for height and width.
void read_window(const StepSpec& spec, Axis& h, Axis& w) {
  const std::vector<int64_t> stride = spec.integers("stride", 2, 1, kMaxSize);
  const std::vector<int64_t> padding = spec.integers("padding", 4, 0, kMaxSize);
  const std::vector<int64_t> dilation = spec.integers("dilation", 2, 1, kMaxSize);
  h.stride = stride[0];
  w.stride = stride[1];
  h.before = padding[0];
  h.after = padding[1];
  w.before = padding[2];
  w.after = padding[3];
  h.dilation = dilation[0];
  w.dilation = dilation[1];
}

void check_fits(const StepSpec& spec, const char* what, const Axis& axis) {
  const int64_t padded = axis.in + axis.before + axis.after;
  if (axis.extent() > padded) {
    refuse(spec, std::string("the window's ") + what + " of " + std::to_string(axis.extent()) + " exceeds the padded input's " + std::to_string(padded));
  }
}

// Checks that the output has the floor or the ceil size and that each window has a position inside the input.
void check_pool_axis(const StepSpec& spec, const char* y, const char* what, const Axis& axis) {
  check_fits(spec, what, axis);
  if (axis.out != axis.ceil_size()) expect_size(spec, y, what, axis.out, "geometry", axis.floor_size());
  for (int64_t o = 0; o < axis.out; ++o) {
    if (taps_inside(axis, o).count() <= 0) refuse(spec, std::string("window ") + std::to_string(o) + " of the " + what + " lies wholly outside the input");
  }
}

}  // namespace

int64_t Axis::floor_size() const { return (in + before + after - extent()) / stride + 1; }
int64_t Axis::ceil_size() const { return divide_up(in + before + after - extent(), stride) + 1; }

TapRange taps_inside(const Axis& axis, int64_t o, int64_t limit) {
  const int64_t start = axis.source(o, 0);
  const int64_t first = start >= 0 ? 0 : std::min(axis.kernel, divide_up(-start, axis.dilation));
  const int64_t last = start >= limit ? 0 : std::min(axis.kernel, divide_up(limit - start, axis.dilation));
  return {first, std::max(first, last)};
}

ConvGeometry conv2d_geometry(const StepSpec& spec, const char* x_name, const char* w_name, const char* y_name) {
  const Operand& x = tensor(spec, x_name, 4);
  const Operand& w = tensor(spec, w_name, 4);
  const Operand& y = tensor(spec, y_name, 4);
  check_sizes(spec, x_name, x);
  check_sizes(spec, w_name, w);
  check_sizes(spec, y_name, y);
  same_batch(spec, x_name, x, y_name, y);
  not_batched(spec, w_name, w);

  ConvGeometry g;
  g.batch = {x.shape[0], x.batched};
  g.c = x.shape[3];
  g.oc = w.shape[3];
  read_window(spec, g.h, g.w);
  g.h.in = x.shape[1];
  g.w.in = x.shape[2];
  g.h.kernel = w.shape[0];
  g.w.kernel = w.shape[1];
  g.h.out = y.shape[1];
  g.w.out = y.shape[2];
  g.groups = spec.integers("groups", 1, 1, kMaxSize)[0];
  if (g.c % g.groups != 0 || g.oc % g.groups != 0) {
    refuse(spec, std::to_string(g.groups) + " groups do not divide " + std::to_string(g.c) + " channels and " + std::to_string(g.oc) + " filters");
  }
  expect_size(spec, w_name, "input channels", w.shape[2], "channels / groups", g.group_c());
  expect_size(spec, y_name, "channels", y.shape[3], w_name, g.oc);
  check_fits(spec, "height", g.h);
  check_fits(spec, "width", g.w);
  expect_size(spec, y_name, "height", g.h.out, "geometry", g.h.floor_size());
  expect_size(spec, y_name, "width", g.w.out, "geometry", g.w.floor_size());
  return g;
}

PoolGeometry pool2d_geometry(const StepSpec& spec, const char* x_name, const char* y_name) {
  const Operand& x = tensor(spec, x_name, 4);
  const Operand& y = tensor(spec, y_name, 4);
  check_sizes(spec, x_name, x);
  check_sizes(spec, y_name, y);
  same_batch(spec, x_name, x, y_name, y);

  PoolGeometry g;
  g.batch = {x.shape[0], x.batched};
  g.c = x.shape[3];
  const std::vector<int64_t> size = spec.integers("size", 2, 1, kMaxSize);
  read_window(spec, g.h, g.w);
  g.h.kernel = size[0];
  g.w.kernel = size[1];
  // A tap's number in the window is an int32, and lists of taps are built per window.
  if (g.h.kernel * g.w.kernel > kMaxSize) refuse(spec, "the window has more than 2147483647 positions");
  g.h.in = x.shape[1];
  g.w.in = x.shape[2];
  g.h.out = y.shape[1];
  g.w.out = y.shape[2];
  expect_size(spec, y_name, "channels", y.shape[3], x_name, g.c);
  check_pool_axis(spec, y_name, "height", g.h);
  check_pool_axis(spec, y_name, "width", g.w);
  return g;
}

}  // namespace convlane
