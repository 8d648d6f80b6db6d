// SPDX-License-Identifier: MIT
// Ops that move pieces of the last axis: concat and slice.
#include <cstring>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// Refuses unless both agree in all but the last size.
void same_rows(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b) {
  bool same = a.rank == b.rank && a.rank >= 1 && a.batched == b.batched && !(a.batched && a.rank == 1);
  for (int32_t axis = 0; same && axis < a.rank - 1; ++axis) same = a.shape[axis] == b.shape[axis];
  if (!same) refuse(spec, std::string(a_name) + " has shape " + shape_text(a) + ", " + b_name + " has " + shape_text(b) + ": only the last sizes may differ");
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
    int64_t columns = 0;
    for (int64_t i = 0; i < count; ++i) {
      const std::string name = "x" + std::to_string(i);
      parts_.push_back(tensor(spec, name.c_str()));
      same_rows(spec, name.c_str(), parts_.back(), "y", y_);
      columns += last_size(parts_.back());
    }
    expect_size(spec, "y", "last size", last_size(y_), "the sum of the parts", columns);
  }
  void run(const RunContext& context) const override {
    const int64_t columns = last_size(y_), rows = y_.elements(context.n) / columns;
    float* to = context.at(y_);
    for (const Operand& part : parts_) {
      copy_columns(rows, last_size(part), context.at(part), last_size(part), to, columns);
      to += last_size(part);
    }
  }

 private:
  std::vector<Operand> parts_;
  Operand y_;
};

class Slice : public Step {
 public:
  explicit Slice(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y")) {
    same_rows(spec, "x", x_, "y", y_);
    const int64_t room = last_size(x_) - last_size(y_);
    if (room < 0) refuse(spec, "y has " + std::to_string(last_size(y_)) + " channels, x only " + std::to_string(last_size(x_)));
    start_ = spec.integers("start", 1, 0, room)[0];
  }
  void run(const RunContext& context) const override {
    const int64_t columns = last_size(y_);
    copy_columns(y_.elements(context.n) / columns, columns, context.at(x_) + start_, last_size(x_), context.at(y_), columns);
  }

 private:
  Operand x_, y_;
  int64_t start_;
};

}  // namespace

StepPointer make_concat(const StepSpec& spec) { return std::make_unique<Concat>(spec); }
StepPointer make_slice(const StepSpec& spec) { return std::make_unique<Slice>(spec); }

}  // namespace convlane
