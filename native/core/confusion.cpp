// SPDX-License-Identifier: MIT
#include "classes.h"

#include <cstring>

#include "checks.h"
#include "ops.h"

namespace convlane {

namespace {

// Counts in float32 are exact below 2^24, more than a run has rows.
class Confusion : public Step {
 public:
  explicit Confusion(const StepSpec& spec)
      : predictions_(tensor(spec, "predictions", 2)), labels_(spec, predictions_), threshold_(threshold_of(spec)), each_(spec.flag("multiLabel", false)) {
    const int64_t columns = predictions_.shape[1];
    classes_ = columns == 1 && !each_ ? 2 : columns;
    if (each_ && !labels_.dense()) refuse(spec, "multiLabel needs labels of the shape of the predictions");
    if (const Operand* counts = optional_tensor(spec, "counts", 2)) {
      not_batched(spec, "counts", *counts);
      expect_size(spec, "counts", "rows", counts->shape[0], "the op", 3);
      expect_size(spec, "counts", "columns", counts->shape[1], "the predictions", classes_);
      counts_ = *counts;
      has_counts_ = true;
    }
    if (const Operand* matrix = optional_tensor(spec, "matrix", 2)) {
      if (each_) refuse(spec, "multiLabel has no matrix");
      not_batched(spec, "matrix", *matrix);
      expect_size(spec, "matrix", "rows", matrix->shape[0], "the predictions", classes_);
      expect_size(spec, "matrix", "columns", matrix->shape[1], "the predictions", classes_);
      matrix_ = *matrix;
      has_matrix_ = true;
    }
  }

  void run(const RunContext& context) const override {
    const int64_t rows = rows_of(predictions_, context.n), columns = predictions_.shape[1];
    const float* predictions = context.at(predictions_);
    float* counts = has_counts_ ? context.at(counts_) : nullptr;
    float* matrix = has_matrix_ ? context.at(matrix_) : nullptr;
    if (counts != nullptr) std::memset(counts, 0, static_cast<size_t>(3 * classes_) * sizeof(float));
    if (matrix != nullptr) std::memset(matrix, 0, static_cast<size_t>(classes_ * classes_) * sizeof(float));
    for (int64_t row = 0; row < rows; ++row, predictions += columns) {
      if (each_) {
        if (counts != nullptr) count_each(predictions, context.at(labels_.operand()) + row * columns, columns, counts);
        continue;
      }
      const int64_t label = labels_.at(context, row);
      if (label < 0 || label >= classes_) continue;
      const int64_t taken = columns == 1 ? (predictions[0] > threshold_ ? 1 : 0) : first_maximum(predictions, columns);
      if (matrix != nullptr) matrix[label * classes_ + taken] += 1;
      if (counts == nullptr) continue;
      counts[label] += 1;
      counts[classes_ + taken] += 1;
      if (label == taken) counts[2 * classes_ + label] += 1;
    }
  }

 private:
  void count_each(const float* prediction, const float* label, int64_t columns, float* counts) const {
    for (int64_t k = 0; k < columns; ++k) {
      const bool is = label[k] > 0.5f, taken = prediction[k] > threshold_;
      counts[k] += is ? 1.0f : 0.0f;
      counts[columns + k] += taken ? 1.0f : 0.0f;
      counts[2 * columns + k] += is && taken ? 1.0f : 0.0f;
    }
  }

  Operand predictions_, counts_, matrix_;
  ClassLabels labels_;
  float threshold_;
  bool each_, has_counts_ = false, has_matrix_ = false;
  int64_t classes_;
};

}  // namespace

StepPointer make_confusion(const StepSpec& spec) { return std::make_unique<Confusion>(spec); }

}  // namespace convlane
