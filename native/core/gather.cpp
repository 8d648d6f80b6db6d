// SPDX-License-Identifier: MIT
// Ops by whole numbers: gather, its way back, one-hot rows, and changes of the element type.
#include <cmath>
#include <cstring>
#include <limits>

#include "ops.h"
#include "parallel.h"
#include "strided.h"

namespace convlane {

namespace {

// `whole` has `size` places along the axis; `picked` has the axes of the indices instead.
class Indexed : public Step {
 public:
  Indexed(const StepSpec& spec, const char* whole_name, const char* picked_name)
      : whole_(tensor(spec, whole_name)), indices_(tensor(spec, "indices", -1, Dtype::int32)), picked_(tensor(spec, picked_name)) {
    if (whole_.rank == 0) refuse(spec, std::string(whole_name) + " must have an axis");
    axis_ = static_cast<int32_t>(spec.integers("axis", 1, 0, whole_.rank - 1)[0]);
    bool fits = picked_.rank == whole_.rank - 1 + indices_.rank;
    for (int32_t i = 0; fits && i < picked_.rank; ++i) {
      const int64_t size = i < axis_ ? whole_.shape[i] : i < axis_ + indices_.rank ? indices_.shape[i - axis_] : whole_.shape[i - indices_.rank + 1];
      fits = picked_.shape[i] == size;
    }
    if (!fits) refuse(spec, std::string(picked_name) + " has shape " + shape_text(picked_) + ", which does not follow from the others'");
    if ((whole_.batched && axis_ == 0) || (whole_.batched && indices_.batched) || (indices_.batched && axis_ != 0) ||
        picked_.batched != (whole_.batched || indices_.batched)) {
      refuse(spec, std::string("the batch is the first axis of ") + picked_name + " and of one of the others");
    }
  }

 protected:
  struct Sizes { int64_t outer, size, inner, count; };
  Sizes sizes_of(int64_t n) const {
    Sizes sizes{1, whole_.shape[axis_], 1, indices_.elements(n)};
    for (int32_t i = 0; i < whole_.rank; ++i) {
      if (i != axis_) (i < axis_ ? sizes.outer : sizes.inner) *= size_of(whole_, i, n);
    }
    return sizes;
  }

  Operand whole_, indices_, picked_;
  int32_t axis_;
};

class Gather : public Indexed {
 public:
  explicit Gather(const StepSpec& spec) : Indexed(spec, "x", "y") {}

  void run(const RunContext& context) const override {
    const Sizes sizes = sizes_of(context.n);
    const float* x = context.at(whole_);
    const int32_t* indices = context.at<int32_t>(indices_);
    float* y = context.at(picked_);
    parallel_blocks(sizes.outer * sizes.count, divide_up(kElementGrain, sizes.inner), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t index = indices[row % sizes.count];
        float* to = y + row * sizes.inner;
        if (index < 0 || index >= sizes.size) {
          std::fill(to, to + sizes.inner, std::numeric_limits<float>::quiet_NaN());
        } else {
          const float* from = x + (row / sizes.count * sizes.size + index) * sizes.inner;
          std::memcpy(to, from, static_cast<size_t>(sizes.inner) * sizeof(float));
        }
      }
    });
  }
};

// Each chunk has columns of its own, and takes the indices in their order.
class ScatterAdd : public Indexed {
 public:
  explicit ScatterAdd(const StepSpec& spec) : Indexed(spec, "dx", "dy") {}

  void run(const RunContext& context) const override {
    constexpr int64_t block = 256;
    const Sizes sizes = sizes_of(context.n);
    const float* dy = context.at(picked_);
    const int32_t* indices = context.at<int32_t>(indices_);
    float* dx = context.at(whole_);
    const int64_t blocks = divide_up(sizes.inner, block);
    const int64_t work = (sizes.size + sizes.count) * std::min(sizes.inner, block);
    parallel_blocks(sizes.outer * blocks, divide_up(kElementGrain, work), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t o = item / blocks, first = item % blocks * block, columns = std::min(block, sizes.inner - first);
        float* to = dx + o * sizes.size * sizes.inner + first;
        const float* from = dy + o * sizes.count * sizes.inner + first;
        for (int64_t i = 0; i < sizes.size; ++i) std::fill(to + i * sizes.inner, to + i * sizes.inner + columns, 0.0f);
        for (int64_t i = 0; i < sizes.count; ++i) {
          const int64_t index = indices[i];
          if (index < 0 || index >= sizes.size) continue;
          float* row = to + index * sizes.inner;
          kernels().add(row, from + i * sizes.inner, row, columns, Activation::linear);
        }
      }
    });
  }
};

class OneHot : public Step {
 public:
  explicit OneHot(const StepSpec& spec) : indices_(tensor(spec, "indices", -1, Dtype::int32)), y_(tensor(spec, "y", indices_.rank + 1)) {
    bool fits = indices_.batched == y_.batched;
    for (int32_t axis = 0; fits && axis < indices_.rank; ++axis) fits = indices_.shape[axis] == y_.shape[axis];
    if (!fits) refuse(spec, "indices has shape " + shape_text(indices_) + ", y has " + shape_text(y_));
  }

  void run(const RunContext& context) const override {
    const int32_t* indices = context.at<int32_t>(indices_);
    float* y = context.at(y_);
    const int64_t depth = last_size(y_);
    parallel_blocks(indices_.elements(context.n), divide_up(kElementGrain, depth), [&](int64_t begin, int64_t end) {
      std::fill(y + begin * depth, y + end * depth, 0.0f);
      for (int64_t i = begin; i < end; ++i) {
        if (indices[i] >= 0 && indices[i] < depth) y[i * depth + indices[i]] = 1.0f;
      }
    });
  }

 private:
  Operand indices_, y_;
};

template <class From, class To>
void convert(const From* x, To* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<To>(x[i]);
}

// Towards zero; NaN becomes 0, and what is too large the nearest there is.
template <>
void convert(const float* x, int32_t* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float value = x[i];
    y[i] = !(value == value)         ? 0
           : value >= 2147483648.0f  ? INT32_MAX
           : value <= -2147483648.0f ? INT32_MIN
                                     : static_cast<int32_t>(value);
  }
}

class Cast : public Step {
 public:
  explicit Cast(const StepSpec& spec) : x_(spec.operand("x")), y_(spec.operand("y")) {
    same_shape(spec, "x", x_, "y", y_);
    if (y_.dtype == Dtype::uint8) refuse(spec, "y must be float32 or int32");
  }

  void run(const RunContext& context) const override {
    parallel_blocks(x_.elements(context.n), kElementGrain, [&](int64_t begin, int64_t end) {
      switch (x_.dtype) {
        case Dtype::float32: return to_result(context, context.at(x_), begin, end);
        case Dtype::int32: return to_result(context, context.at<int32_t>(x_), begin, end);
        default: return to_result(context, context.at<uint8_t>(x_), begin, end);
      }
    });
  }

 private:
  template <class From>
  void to_result(const RunContext& context, const From* x, int64_t begin, int64_t end) const {
    if (y_.dtype == Dtype::int32) return convert(x + begin, context.at<int32_t>(y_) + begin, end - begin);
    convert(x + begin, context.at(y_) + begin, end - begin);
  }

  Operand x_, y_;
};

}  // namespace

StepPointer make_gather(const StepSpec& spec) { return std::make_unique<Gather>(spec); }
StepPointer make_scatter_add(const StepSpec& spec) { return std::make_unique<ScatterAdd>(spec); }
StepPointer make_one_hot(const StepSpec& spec) { return std::make_unique<OneHot>(spec); }
StepPointer make_cast(const StepSpec& spec) { return std::make_unique<Cast>(spec); }

}  // namespace convlane
