// SPDX-License-Identifier: MIT
#include "checks.h"
#include "ops.h"

namespace convlane {

namespace {

int64_t first_maximum(const float* values, int64_t count) {
  int64_t best = 0;
  for (int64_t j = 1; j < count; ++j) {
    if (values[j] > values[best]) best = j;
  }
  return best;
}

class Accuracy : public Step {
 public:
  explicit Accuracy(const StepSpec& spec)
      : predictions_(tensor(spec, "predictions", 2)), labels_(spec.operand("labels")), correct_(single_value(spec, "correct")) {
    dense_ = labels_.rank == 2;
    if (dense_) {
      same_shape(spec, "labels", tensor(spec, "labels", 2), "predictions", predictions_);
    } else {
      same_batch(spec, "labels", tensor(spec, "labels", 1, Dtype::int32), "predictions", predictions_);
    }
  }

  void run(const RunContext& context) const override {
    const int64_t rows = rows_of(predictions_, context.n), columns = predictions_.shape[1];
    const float* predictions = context.at(predictions_);
    int64_t correct = 0;
    for (int64_t row = 0; row < rows; ++row) correct += is_correct(predictions + row * columns, context, row, columns) ? 1 : 0;
    *context.at(correct_) = static_cast<float>(correct);
  }

 private:
  bool is_correct(const float* prediction, const RunContext& context, int64_t row, int64_t columns) const {
    if (columns == 1) {
      const bool expected = dense_ ? context.at(labels_)[row] > 0.5f : context.at<int32_t>(labels_)[row] > 0;
      return (prediction[0] > 0.5f) == expected;
    }
    const int64_t expected = dense_ ? first_maximum(context.at(labels_) + row * columns, columns) : context.at<int32_t>(labels_)[row];
    return first_maximum(prediction, columns) == expected;
  }

  Operand predictions_, labels_, correct_;
  bool dense_;
};

}  // namespace

StepPointer make_accuracy(const StepSpec& spec) { return std::make_unique<Accuracy>(spec); }

}  // namespace convlane
