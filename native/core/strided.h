// SPDX-License-Identifier: MIT
// Operands that are walked together over the axes of a result. An operand's stride is 0 along an axis that it is repeated over.
#pragma once
#include <algorithm>

#include "checks.h"

namespace convlane {

template <int K>
class Walk {
 public:
  // The next axis, outermost first. Axes of one element are left out, and one that continues the axis before in every operand joins it.
  void push(int64_t size, const int64_t (&strides)[K]) {
    if (size == 1) return;
    if (rank_ > 0 && continues(size, strides)) {
      sizes_[rank_ - 1] *= size;
    } else {
      sizes_[rank_++] = size;
    }
    for (int k = 0; k < K; ++k) strides_[k][rank_ - 1] = strides[k];
  }

  int64_t elements() const {
    int64_t product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= sizes_[axis];
    return product;
  }

  // Along the last axis: 0 for every operand where there is no axis left.
  int64_t step(int k) const { return rank_ == 0 ? 0 : strides_[k][rank_ - 1]; }

  // f(index, offsets, count) for elements begin .. end-1 of the result in stretches along the last axis: `count` of them from `index` on, which
  // read operand k from offsets[k] on, step(k) apart.
  template <class F>
  void each(int64_t begin, int64_t end, const F& f) const {
    int64_t at[kMaxRank] = {}, offsets[K] = {}, rest = begin;
    if (rank_ == 0) {
      if (begin < end) f(begin, offsets, int64_t{1});
      return;
    }
    for (int axis = rank_ - 1; axis >= 0; --axis) {
      at[axis] = rest % sizes_[axis];
      rest /= sizes_[axis];
      for (int k = 0; k < K; ++k) offsets[k] += at[axis] * strides_[k][axis];
    }
    const int last = rank_ - 1;
    while (begin < end) {
      const int64_t count = std::min(sizes_[last] - at[last], end - begin);
      f(begin, offsets, count);
      begin += count;
      at[last] += count;
      for (int k = 0; k < K; ++k) offsets[k] += count * strides_[k][last];
      for (int axis = last; axis > 0 && at[axis] == sizes_[axis]; --axis) {
        at[axis] = 0;
        ++at[axis - 1];
        for (int k = 0; k < K; ++k) offsets[k] += strides_[k][axis - 1] - sizes_[axis] * strides_[k][axis];
      }
    }
  }

 private:
  bool continues(int64_t size, const int64_t (&strides)[K]) const {
    for (int k = 0; k < K; ++k) {
      if (strides_[k][rank_ - 1] != strides[k] * size) return false;
    }
    return true;
  }

  int rank_ = 0;
  int64_t sizes_[kMaxRank] = {};
  int64_t strides_[K][kMaxRank] = {};
};

// The size of an axis in a run of n rows.
inline int64_t size_of(const Operand& operand, int32_t axis, int64_t n) { return axis == 0 && operand.batched ? n : operand.shape[axis]; }

// Strides of a contiguous operand against the axes of `result`, to whose last axes its own are aligned; 0 where it is repeated.
inline void broadcast_strides(const Operand& operand, const Operand& result, int64_t n, int64_t (&strides)[kMaxRank]) {
  int64_t stride = 1;
  for (int32_t axis = result.rank - 1; axis >= 0; --axis) {
    const int32_t own = axis - (result.rank - operand.rank);
    const int64_t size = own < 0 ? 1 : size_of(operand, own, n);
    strides[axis] = size == 1 ? 0 : stride;
    stride *= size;
  }
}

// How operands are read to make `result` by the broadcasting of numpy.
template <int K>
Walk<K> broadcast_walk(const Operand* const (&operands)[K], const Operand& result, int64_t n) {
  int64_t strides[K][kMaxRank];
  for (int k = 0; k < K; ++k) broadcast_strides(*operands[k], result, n, strides[k]);
  Walk<K> walk;
  for (int32_t axis = 0; axis < result.rank; ++axis) {
    int64_t of_axis[K];
    for (int k = 0; k < K; ++k) of_axis[k] = strides[k][axis];
    walk.push(size_of(result, axis, n), of_axis);
  }
  return walk;
}

// Refuses unless each size of the operand is 1 or that of the result, their last axes being aligned. The batch is the first axis of both.
void check_broadcast(const StepSpec& spec, const char* name, const Operand& operand, const char* result_name, const Operand& result);
// Refuses sizes of the result that no operand has.
void check_result(const StepSpec& spec, const char* result_name, const Operand& result, const Operand* const* operands, int count);

}  // namespace convlane
