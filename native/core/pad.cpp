// SPDX-License-Identifier: MIT
// Padding: around x there is a value, its edge, or its mirror image.
#include <cstring>

#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

enum class Mode { constant, edge, reflect };

// Where the elements of the padded tensor come from, for both directions. The batch is never padded.
class Padding : public Step {
 public:
  Padding(const StepSpec& spec, const char* inner_name, const char* outer_name)
      : inner_(tensor(spec, inner_name)), outer_(tensor(spec, outer_name, inner_.rank)) {
    const std::string mode = spec.string("mode", "constant");
    mode_ = mode == "edge" ? Mode::edge : mode == "reflect" ? Mode::reflect : Mode::constant;
    if (mode_ == Mode::constant && mode != "constant") refuse(spec, "mode must be constant, edge or reflect, got " + mode);
    const std::vector<int64_t> padding = spec.integers("padding", static_cast<size_t>(inner_.rank) * 2, 0, INT32_MAX);
    if (inner_.batched != outer_.batched) refuse(spec, "x and y must both be batched or both not");
    for (int32_t axis = 0; axis < inner_.rank; ++axis) {
      const int64_t before = padding[static_cast<size_t>(axis) * 2], after = padding[static_cast<size_t>(axis) * 2 + 1];
      before_[axis] = before;
      expect_size(spec, outer_name, "size", outer_.shape[axis], "padding", inner_.shape[axis] + before + after);
      if (axis == 0 && inner_.batched && before + after > 0) refuse(spec, "the batch cannot be padded");
      if (mode_ == Mode::reflect && std::max(before, after) >= inner_.shape[axis]) refuse(spec, "reflected padding must be less than the size");
    }
  }

 protected:
  // The place within an axis of the inner tensor that place `at` of the outer one shows, or -1.
  int64_t source(int32_t axis, int64_t at) const {
    const int64_t place = at - before_[axis], size = inner_.shape[axis];
    if (place >= 0 && place < size) return place;
    if (mode_ == Mode::constant) return -1;
    if (mode_ == Mode::edge) return place < 0 ? 0 : size - 1;
    return place < 0 ? -place : 2 * (size - 1) - place;
  }

  int32_t last() const { return outer_.rank - 1; }

  Operand inner_, outer_;
  Mode mode_;
  int64_t before_[kMaxRank] = {};
};

class Pad : public Padding {
 public:
  explicit Pad(const StepSpec& spec) : Padding(spec, "x", "y"), value_(static_cast<float>(spec.number("value", 0))) {}

  void run(const RunContext& context) const override {
    const float* x = context.at(inner_);
    float* y = context.at(outer_);
    if (outer_.rank == 0) {
      *y = *x;
      return;
    }
    const int64_t width = outer_.shape[last()], own = inner_.shape[last()];
    const bool flat = last() == 0 && outer_.batched;  // rows are single elements
    const int64_t columns = flat ? 1 : width, from = flat ? 1 : own;
    parallel_blocks(outer_.elements(context.n) / columns, divide_up(kElementGrain, columns), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* to = y + row * columns;
        const int64_t inner_row = flat ? row : source_row(row);
        if (inner_row < 0) {
          std::fill(to, to + columns, value_);
          continue;
        }
        const float* line = x + inner_row * from;
        if (flat) {
          *to = *line;
          continue;
        }
        const int64_t start = before_[last()];
        for (int64_t j = 0; j < start; ++j) to[j] = element(line, j);
        std::memcpy(to + start, line, static_cast<size_t>(own) * sizeof(float));
        for (int64_t j = start + own; j < width; ++j) to[j] = element(line, j);
      }
    });
  }

 private:
  float element(const float* line, int64_t j) const {
    const int64_t from = source(last(), j);
    return from < 0 ? value_ : line[from];
  }

  // The row of the inner tensor that a row of the outer one shows, or -1.
  int64_t source_row(int64_t row) const {
    int64_t result = 0, stride = 1;
    for (int32_t axis = last() - 1; axis >= 0; --axis) {
      const bool batch = axis == 0 && outer_.batched;  // as many as the run has, and none of them padding
      const int64_t at = batch ? row : row % outer_.shape[axis];
      const int64_t from = batch ? at : source(axis, at);
      if (from < 0) return -1;
      result += from * stride;
      stride *= inner_.shape[axis];
      row /= outer_.shape[axis];
    }
    return result;
  }

  float value_;
};

// Adds up, for each element of dx, what shows it, in the order of dy.
class PadBackward : public Padding {
 public:
  explicit PadBackward(const StepSpec& spec) : Padding(spec, "dx", "dy") {
    for (int32_t axis = 0; axis < inner_.rank; ++axis) {
      if (axis == 0 && inner_.batched) continue;
      shown_[axis].resize(static_cast<size_t>(inner_.shape[axis]));
      for (int64_t at = 0; at < outer_.shape[axis]; ++at) {
        const int64_t from = source(axis, at);
        if (from >= 0) shown_[axis][static_cast<size_t>(from)].push_back(at);
      }
    }
  }

  void run(const RunContext& context) const override {
    const float* dy = context.at(outer_);
    float* dx = context.at(inner_);
    int64_t strides[kMaxRank], stride = 1;
    for (int32_t axis = outer_.rank - 1; axis >= 0; --axis) {
      strides[axis] = stride;
      stride *= outer_.shape[axis];
    }
    parallel_blocks(inner_.elements(context.n), kElementGrain / 4, [&](int64_t begin, int64_t end) {
      for (int64_t index = begin; index < end; ++index) {
        int64_t at[kMaxRank], rest = index;
        for (int32_t axis = inner_.rank - 1; axis >= 0; --axis) {
          const bool batch = axis == 0 && inner_.batched;
          at[axis] = batch ? rest : rest % inner_.shape[axis];
          rest /= inner_.shape[axis];
        }
        dx[index] = total(dy, strides, at, 0);
      }
    });
  }

 private:
  float total(const float* dy, const int64_t* strides, const int64_t* at, int32_t axis) const {
    if (axis == inner_.rank) return *dy;
    if (axis == 0 && inner_.batched) return total(dy + at[0] * strides[0], strides, at, 1);
    const std::vector<int64_t>& places = shown_[axis][static_cast<size_t>(at[axis])];
    float sum = total(dy + places[0] * strides[axis], strides, at, axis + 1);
    for (size_t i = 1; i < places.size(); ++i) sum += total(dy + places[i] * strides[axis], strides, at, axis + 1);
    return sum;
  }

  std::vector<std::vector<int64_t>> shown_[kMaxRank];
};

}  // namespace

StepPointer make_pad(const StepSpec& spec) { return std::make_unique<Pad>(spec); }
StepPointer make_pad_backward(const StepSpec& spec) { return std::make_unique<PadBackward>(spec); }

}  // namespace convlane
