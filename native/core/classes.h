// SPDX-License-Identifier: MIT
// What accuracy and confusion have in common: labels as class numbers, and the class that a row of predictions is for.
#pragma once
#include "checks.h"

namespace convlane {

constexpr int64_t kNoLabel = -1;

// Whether one score comes before another: the larger one, and NaN before every number.
inline bool exceeds(float a, float b) { return a > b || (a != a && b == b); }

inline int64_t first_maximum(const float* values, int64_t count) {
  int64_t best = 0;
  for (int64_t j = 1; j < count; ++j) {
    if (exceeds(values[j], values[best])) best = j;
  }
  return best;
}

// Above it one output says class 1.
inline float threshold_of(const StepSpec& spec) { return static_cast<float>(spec.number("threshold", 0.5)); }

// Operand `labels`: int32 [N], or float32 [N,K] of which the first maximum counts (K = 1: above 0.5), with attribute `ignoreLabel`.
class ClassLabels {
 public:
  ClassLabels(const StepSpec& spec, const Operand& predictions) : labels_(spec.operand("labels")) {
    dense_ = labels_.rank == 2;
    if (dense_) {
      same_shape(spec, "labels", tensor(spec, "labels", 2), "predictions", predictions);
    } else {
      same_batch(spec, "labels", tensor(spec, "labels", 1, Dtype::int32), "predictions", predictions);
    }
    if (spec.count("ignoreLabel") == 0) return;
    if (dense_) refuse(spec, "ignoreLabel is for class numbers");
    ignores_ = true;
    ignored_ = static_cast<int32_t>(number_between(spec, "ignoreLabel", -2147483648.0, 2147483647.0));
  }

  bool dense() const { return dense_; }
  const Operand& operand() const { return labels_; }

  // The label of a row as it is; kNoLabel for one that is ignored. The label -1 is no class either.
  int64_t at(const RunContext& context, int64_t row) const {
    if (dense_) {
      const int64_t columns = labels_.shape[1];
      const float* label = context.at(labels_) + row * columns;
      return columns == 1 ? (label[0] > 0.5f ? 1 : 0) : first_maximum(label, columns);
    }
    const int32_t label = context.at<int32_t>(labels_)[row];
    return ignores_ && label == ignored_ ? kNoLabel : label;
  }

  bool ignored(const RunContext& context, int64_t row) const { return ignores_ && context.at<int32_t>(labels_)[row] == ignored_; }

 private:
  Operand labels_;
  bool dense_ = false, ignores_ = false;
  int32_t ignored_ = 0;
};

}  // namespace convlane
