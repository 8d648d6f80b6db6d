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

// The axes that a step's attributes and shapes speak of, in their order; the others keep a size of one.
struct Axes {
  Axis* axis[3];
  const char* name[3];
  int32_t count;
};

template <class Geometry>
Axes axes_of(const StepSpec& spec, Geometry& g) {
  switch (spatial_axes(spec)) {
    case 1: return {{&g.w}, {"length"}, 1};
    case 2: return {{&g.h, &g.w}, {"height", "width"}, 2};
    default: return {{&g.d, &g.h, &g.w}, {"depth", "height", "width"}, 3};
  }
}

// Attributes that both kinds of window have, and the sizes before and after it. Axis i of an operand is its size i + 1.
void read_window(const StepSpec& spec, const Axes& axes, const Operand& x, const Operand& y) {
  const size_t count = static_cast<size_t>(axes.count);
  const std::vector<int64_t> stride = spec.integers("stride", count, 1, kMaxSize);
  const std::vector<int64_t> padding = spec.integers("padding", 2 * count, 0, kMaxSize);
  const std::vector<int64_t> dilation = spec.integers("dilation", count, 1, kMaxSize);
  for (size_t i = 0; i < count; ++i) {
    Axis& axis = *axes.axis[i];
    axis.stride = stride[i];
    axis.before = padding[2 * i];
    axis.after = padding[2 * i + 1];
    axis.dilation = dilation[i];
    axis.in = x.shape[i + 1];
    axis.out = y.shape[i + 1];
  }
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

int32_t spatial_axes(const StepSpec& spec) {
  const size_t digit = spec.op.find_first_of("123");
  if (digit == std::string::npos) refuse(spec, "the op's name does not say its number of axes");
  return spec.op[digit] - '0';
}

ConvGeometry conv_geometry(const StepSpec& spec, const char* x_name, const char* w_name, const char* y_name) {
  const int32_t rank = spatial_axes(spec) + 2;
  const Operand& x = tensor(spec, x_name, rank);
  const Operand& w = tensor(spec, w_name, rank);
  const Operand& y = tensor(spec, y_name, rank);
  check_sizes(spec, x_name, x);
  check_sizes(spec, w_name, w);
  check_sizes(spec, y_name, y);
  same_batch(spec, x_name, x, y_name, y);
  not_batched(spec, w_name, w);

  ConvGeometry g;
  const Axes axes = axes_of(spec, g);
  g.batch = {x.shape[0], x.batched};
  g.c = x.shape[rank - 1];
  g.oc = w.shape[rank - 1];
  read_window(spec, axes, x, y);
  g.groups = spec.integers("groups", 1, 1, kMaxSize)[0];
  if (g.c % g.groups != 0 || g.oc % g.groups != 0) {
    refuse(spec, std::to_string(g.groups) + " groups do not divide " + std::to_string(g.c) + " channels and " + std::to_string(g.oc) + " filters");
  }
  expect_size(spec, w_name, "input channels", w.shape[rank - 2], "channels / groups", g.group_c());
  expect_size(spec, y_name, "channels", y.shape[rank - 1], w_name, g.oc);
  for (int32_t i = 0; i < axes.count; ++i) {
    axes.axis[i]->kernel = w.shape[i];
    check_fits(spec, axes.name[i], *axes.axis[i]);
    expect_size(spec, y_name, axes.name[i], axes.axis[i]->out, "geometry", axes.axis[i]->floor_size());
  }
  return g;
}

ConvGeometry ConvGeometry::folded() const {
  ConvGeometry g = *this;
  if (groups > 1 || !folds) return g;
  for (Axis* axis : {&g.w, &g.h, &g.d}) {
    if (!axis->covered() || g.c * axis->kernel > kMaxSize) break;
    g.c *= axis->kernel;
    *axis = Axis();
  }
  return g;
}

PoolGeometry pool_geometry(const StepSpec& spec, const char* x_name, const char* y_name) {
  const int32_t rank = spatial_axes(spec) + 2;
  const Operand& x = tensor(spec, x_name, rank);
  const Operand& y = tensor(spec, y_name, rank);
  check_sizes(spec, x_name, x);
  check_sizes(spec, y_name, y);
  same_batch(spec, x_name, x, y_name, y);

  PoolGeometry g;
  const Axes axes = axes_of(spec, g);
  g.batch = {x.shape[0], x.batched};
  g.c = x.shape[rank - 1];
  const std::vector<int64_t> size = spec.integers("size", static_cast<size_t>(axes.count), 1, kMaxSize);
  read_window(spec, axes, x, y);
  // A tap's number in the window is an int32, and lists of taps are built per window.
  int64_t taps = 1;
  for (int32_t i = 0; i < axes.count; ++i) {
    axes.axis[i]->kernel = size[static_cast<size_t>(i)];
    taps *= size[static_cast<size_t>(i)];
    if (taps > kMaxSize) refuse(spec, "the window has more than 2147483647 positions");
  }
  expect_size(spec, y_name, "channels", y.shape[rank - 1], x_name, g.c);
  for (int32_t i = 0; i < axes.count; ++i) check_pool_axis(spec, y_name, axes.name[i], *axes.axis[i]);
  return g;
}

}  // namespace convlane
