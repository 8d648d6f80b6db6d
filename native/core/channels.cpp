// SPDX-License-Identifier: MIT
// Ops that put pieces together and cut them out: concat and slice.
#include <cstring>

#include "checks.h"
#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

// Refuses unless both agree in all sizes but that of one axis, which isn't the batch.
void same_but(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b, int32_t free) {
  bool same = a.rank == b.rank && a.rank >= 1 && a.batched == b.batched && !(a.batched && free == 0);
  for (int32_t axis = 0; same && axis < a.rank; ++axis) same = axis == free || a.shape[axis] == b.shape[axis];
  if (same) return;
  const std::string which = free == b.rank - 1 ? "the last sizes" : "the sizes of axis " + std::to_string(free);
  refuse(spec, std::string(a_name) + " has shape " + shape_text(a) + ", " + b_name + " has " + shape_text(b) + ": only " + which + " may differ");
}

// Elements of one place of the axes before `axis`.
int64_t elements_from(const Operand& operand, int32_t axis) {
  int64_t product = 1;
  for (int32_t i = axis; i < operand.rank; ++i) product *= operand.shape[i];
  return product;
}

// `columns` floats of each row, from rows `from_stride` apart to rows `to_stride` apart.
void copy_columns(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  parallel_blocks(rows, divide_up(kElementGrain, columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      std::memcpy(to + row * to_stride, from + row * from_stride, static_cast<size_t>(columns) * sizeof(float));
    }
  });
}

class Concat : public Step {
 public:
  explicit Concat(const StepSpec& spec) : y_(tensor(spec, "y")) {
    const int64_t count = spec.integers("count", 1, 1, 65536)[0];
    const double axis = spec.number("axis", std::max(y_.rank - 1, 0));
    if (!(axis >= 0 && axis < std::max(y_.rank, 1)) || axis != static_cast<int32_t>(axis)) refuse(spec, "axis must be one of y's");
    axis_ = static_cast<int32_t>(axis);
    int64_t size = 0;
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = "x" + std::to_string(i);
      parts_.push_back(tensor(spec, name.c_str()));
      same_but(spec, name.c_str(), parts_.back(), "y", y_, axis_);
      size += parts_.back().shape[axis_];
    }
    expect_size(spec, "y", axis_ == y_.rank - 1 ? "last size" : "size", y_.shape[axis_], "the sum of the parts", size);
  }
  void run(const RunContext& context) const override {
    if (axis_ == 0) {  // one row
      float* to = context.at(y_);
      for (const Operand& part : parts_) {
        copy_columns(1, part.elements(), context.at(part), 0, to, 0);
        to += part.elements();
      }
      return;
    }
    const int64_t columns = elements_from(y_, axis_), rows = y_.elements(context.n) / columns;
    float* to = context.at(y_);
    for (const Operand& part : parts_) {
      const int64_t width = elements_from(part, axis_);
      copy_columns(rows, width, context.at(part), width, to, columns);
      to += width;
    }
  }

 private:
  std::vector<Operand> parts_;
  Operand y_;
  int32_t axis_;
};

// `start` is one number for the last axis, or one for each axis.
class Slice : public Step {
 public:
  explicit Slice(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")) {
    const bool every_axis = x_.rank > 1 && spec.count("start") > 1;
    if (!every_axis) {
      same_but(spec, "x", x_, "y", y_, x_.rank - 1);
      const int64_t room = last_size(x_) - last_size(y_);
      if (room < 0) refuse(spec, "y has " + std::to_string(last_size(y_)) + " channels, x only " + std::to_string(last_size(x_)));
      starts_[x_.rank - 1] = spec.integers("start", 1, 0, room)[0];
      return;
    }
    if (x_.rank != y_.rank || x_.batched != y_.batched) refuse(spec, "x has shape " + shape_text(x_) + ", y has " + shape_text(y_));
    const std::vector<int64_t> starts = spec.integers("start", static_cast<size_t>(x_.rank), 0, int64_t{1} << 40);
    for (int32_t axis = 0; axis < x_.rank; ++axis) {
      starts_[axis] = starts[static_cast<size_t>(axis)];
      if (starts_[axis] + y_.shape[axis] > x_.shape[axis]) refuse(spec, "axis " + std::to_string(axis) + " of y ends beyond that of x");
      if (axis == 0 && x_.batched && (starts_[0] != 0 || x_.shape[0] != y_.shape[0])) refuse(spec, "the batch must stay whole");
    }
  }
  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    int64_t strides[kMaxRank], stride = 1;
    for (int32_t axis = x_.rank - 1; axis >= 0; --axis) {
      strides[axis] = stride;
      x += starts_[axis] * stride;
      stride *= x_.shape[axis];
    }
    Walk<1> walk;
    for (int32_t axis = 0; axis < y_.rank; ++axis) walk.push(size_of(y_, axis, context.n), {strides[axis]});
    const int64_t step = walk.step(0);
    parallel_blocks(y_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      walk.each(begin, end, [&](int64_t index, const int64_t (&from)[1], int64_t count) {
        if (step == 1) {
          std::memcpy(y + index, x + from[0], static_cast<size_t>(count) * sizeof(float));
        } else {
          for (int64_t i = 0; i < count; ++i) y[index + i] = x[from[0] + i * step];
        }
      });
    });
  }

 private:
  Operand x_, y_;
  int64_t starts_[kMaxRank] = {};
};

}  // namespace

StepPointer make_concat(const StepSpec& spec) { return std::make_unique<Concat>(spec); }
StepPointer make_slice(const StepSpec& spec) { return std::make_unique<Slice>(spec); }

}  // namespace convlane
