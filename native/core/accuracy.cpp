// SPDX-License-Identifier: MIT
#include "checks.h"
#include "classes.h"
#include "ops.h"

namespace convlane {

namespace {

class Accuracy : public Step {
 public:
  explicit Accuracy(const StepSpec& spec)
      : predictions_(tensor(spec, "predictions", 2)), labels_(spec, predictions_), correct_(single_value(spec, "correct")), threshold_(threshold_of(spec)) {
    if (spec.optional("counted") != nullptr) {
      counted_ = single_value(spec, "counted");
      has_counted_ = true;
    }
    if (spec.count("k") > 0) k_ = spec.integers("k", 1, 1, predictions_.shape[1])[0];
  }

  void run(const RunContext& context) const override {
    const int64_t rows = rows_of(predictions_, context.n), columns = predictions_.shape[1];
    const float* predictions = context.at(predictions_);
    int64_t correct = 0, counted = 0;
    for (int64_t row = 0; row < rows; ++row) {
      if (labels_.ignored(context, row)) continue;
      ++counted;
      correct += is_correct(predictions + row * columns, labels_.at(context, row), columns) ? 1 : 0;
    }
    *context.at(correct_) = static_cast<float>(correct);
    if (has_counted_) *context.at(counted_) = static_cast<float>(counted);
  }

 private:
  bool is_correct(const float* prediction, int64_t label, int64_t columns) const {
    if (columns == 1) return (prediction[0] > threshold_) == (label > 0);
    if (k_ == 1) return first_maximum(prediction, columns) == label;
    if (label < 0 || label >= columns) return false;
    const float own = prediction[label];
    int64_t before = 0;
    for (int64_t j = 0; j < columns; ++j) before += exceeds(prediction[j], own) || (j < label && !exceeds(own, prediction[j])) ? 1 : 0;
    return before < k_;
  }

  Operand predictions_;
  ClassLabels labels_;
  Operand correct_, counted_;
  bool has_counted_ = false;
  float threshold_;
  int64_t k_ = 1;
};

}  // namespace

StepPointer make_accuracy(const StepSpec& spec) { return std::make_unique<Accuracy>(spec); }

}  // namespace convlane
