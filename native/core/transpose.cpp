// SPDX-License-Identifier: MIT
#include <cstring>

#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

class Transpose : public Step {
 public:
  explicit Transpose(const StepSpec& spec) : x_(tensor(spec, "x")), y_(tensor(spec, "y", x_.rank)) {
    permutation_ = spec.integers("permutation", static_cast<size_t>(x_.rank), 0, std::max(x_.rank - 1, 0));
    bool seen[kMaxRank] = {};
    for (int32_t axis = 0; axis < y_.rank; ++axis) {
      const int64_t from = permutation_[static_cast<size_t>(axis)];
      if (seen[from]) refuse(spec, "permutation must hold each axis once");
      seen[from] = true;
      expect_size(spec, "y", "size", y_.shape[axis], "x", x_.shape[from]);
    }
    if (x_.batched != y_.batched || (x_.batched && permutation_[0] != 0)) refuse(spec, "the batch of x must be the first axis of y");
  }

  void run(const RunContext& context) const override {
    const float* x = context.at(x_);
    float* y = context.at(y_);
    int64_t strides[kMaxRank], stride = 1;
    for (int32_t axis = x_.rank - 1; axis >= 0; --axis) {
      strides[axis] = stride;
      stride *= x_.shape[axis];
    }
    Walk<1> walk;
    for (int32_t axis = 0; axis < y_.rank; ++axis) walk.push(size_of(y_, axis, context.n), {strides[permutation_[static_cast<size_t>(axis)]]});
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
  std::vector<int64_t> permutation_;
};

}  // namespace

StepPointer make_transpose(const StepSpec& spec) { return std::make_unique<Transpose>(spec); }

}  // namespace convlane
