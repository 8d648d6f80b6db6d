// SPDX-License-Identifier: MIT
#include <cstring>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

constexpr double kLargestLabel = 2147483647.0;

// Scratch: the loss of each row, then dlogits where the caller wants none (the kernel works in it), then, where rows have weights or targets are
// not the labels as they are: the weight of each row, and its targets.
class SoftmaxCrossEntropy : public Step {
 public:
  explicit SoftmaxCrossEntropy(const StepSpec& spec) : logits_(tensor(spec, "logits", 2)), labels_(spec.operand("labels")), loss_(single_value(spec, "loss")) {
    dense_ = labels_.rank == 2;
    if (dense_) {
      same_shape(spec, "labels", tensor(spec, "labels", 2), "logits", logits_);
    } else {
      same_batch(spec, "labels", tensor(spec, "labels", 1, Dtype::int32), "logits", logits_);
    }
    if (const Operand* dlogits = optional_tensor(spec, "dlogits", 2)) {
      same_shape(spec, "dlogits", *dlogits, "logits", logits_);
      dlogits_ = *dlogits;
      has_dlogits_ = true;
    }
    if (const Operand* weights = optional_tensor(spec, "weights", 1)) {
      same_batch(spec, "weights", *weights, "logits", logits_);
      weights_ = *weights;
      has_weights_ = true;
    }
    if (spec.optional("weight") != nullptr) {
      weight_ = single_value(spec, "weight");
      has_weight_ = true;
    }
    read_attributes(spec);
  }

  int64_t scratch_floats(int64_t n) const override {
    const int64_t rows = rows_of(logits_, n), columns = logits_.shape[1];
    return round_up(rows, 16) * (plain() ? 1 : 2) + (has_dlogits_ ? 0 : round_up(rows * columns, 16)) + (changed_ ? rows * columns : 0);
  }

  void run(const RunContext& context) const override {
    const int64_t rows = rows_of(logits_, context.n), columns = logits_.shape[1];
    float* losses = context.scratch;
    float* free = losses + round_up(rows, 16);
    float* dlogits = has_dlogits_ ? context.at(dlogits_) : free;
    if (!has_dlogits_) free += round_up(rows * columns, 16);
    double weight = static_cast<double>(rows), total = 0;
    if (plain()) {
      run_plain(context, rows, losses, dlogits);
      for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(losses[row]);
    } else {
      float* weights = free;
      weight = weigh_rows(context, rows, weights);
      run_weighed(context, rows, weights, weight, free + round_up(rows, 16), losses, dlogits);
      for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(weights[row]) * static_cast<double>(losses[row]);
    }
    *context.at(loss_) = weight == 0 ? 0.0f : static_cast<float>(total / weight);
    if (has_weight_) *context.at(weight_) = static_cast<float>(weight);
  }

 private:
  bool plain() const { return !has_weights_ && !changed_ && !ignores_; }

  void read_attributes(const StepSpec& spec) {
    const int64_t columns = logits_.shape[1];
    const double smoothing = spec.number("labelSmoothing", 0);
    if (!(smoothing >= 0 && smoothing <= 1)) refuse(spec, "labelSmoothing must lie between 0 and 1");
    if (spec.count("ignoreLabel") > 0) {
      if (dense_) refuse(spec, "ignoreLabel is for class numbers");
      ignores_ = true;
      ignored_ = static_cast<int32_t>(number_between(spec, "ignoreLabel", -kLargestLabel - 1, kLargestLabel));
    }
    const size_t given = spec.count("classWeights");
    if (given != 0 && given != static_cast<size_t>(columns)) refuse(spec, "classWeights must be as many as there are classes");
    changed_ = smoothing > 0 || given != 0;
    if (!changed_) return;
    class_weights_.assign(static_cast<size_t>(columns), 1.0f);
    for (const auto& [name, numbers] : spec.numbers) {
      if (name != "classWeights") continue;
      for (size_t k = 0; k < numbers.size(); ++k) class_weights_[k] = static_cast<float>(numbers[k]);
    }
    has_class_weights_ = given != 0;
    for (const float own : class_weights_) {
      kept_.push_back(static_cast<float>(static_cast<double>(own) * (1 - smoothing)));
      spread_.push_back(static_cast<float>(static_cast<double>(own) * smoothing / static_cast<double>(columns)));
    }
  }

  void run_plain(const RunContext& context, int64_t rows, float* losses, float* dlogits) const {
    const int64_t columns = logits_.shape[1];
    const float scale = 1.0f / static_cast<float>(rows);
    const float* logits = context.at(logits_);
    parallel_blocks(rows, divide_up(kElementGrain / 4, columns), [&](int64_t begin, int64_t end) {
      const int64_t at = begin * columns;
      if (dense_) {
        kernels().softmax_cross_entropy_dense(logits + at, context.at(labels_) + at, end - begin, columns, scale, losses + begin, dlogits + at);
      } else {
        kernels().softmax_cross_entropy(logits + at, context.at<int32_t>(labels_) + begin, end - begin, columns, scale, losses + begin, dlogits + at);
      }
    });
  }

  // Gives each row its weight and returns what the sum of the losses is divided by.
  double weigh_rows(const RunContext& context, int64_t rows, float* weights) const {
    const int64_t columns = logits_.shape[1];
    double sum = 0;
    for (int64_t row = 0; row < rows; ++row) {
      weights[row] = has_weights_ ? context.at(weights_)[row] : 1.0f;
      double own = 1;
      if (dense_ && has_class_weights_) {
        const float* label = context.at(labels_) + row * columns;
        own = 0;
        for (int64_t k = 0; k < columns; ++k) own += static_cast<double>(label[k]) * static_cast<double>(class_weights_[static_cast<size_t>(k)]);
      } else if (!dense_) {
        const int32_t label = context.at<int32_t>(labels_)[row];
        if (ignores_ && label == ignored_) weights[row] = 0;
        if (has_class_weights_ && label >= 0 && label < columns) own = static_cast<double>(class_weights_[static_cast<size_t>(label)]);
      }
      sum += static_cast<double>(weights[row]) * own;
    }
    return sum;
  }

  void run_weighed(const RunContext& context, int64_t rows, const float* weights, double weight, float* targets, float* losses, float* dlogits) const {
    const int64_t columns = logits_.shape[1];
    const size_t bytes = static_cast<size_t>(columns) * sizeof(float);
    parallel_blocks(rows, divide_up(kElementGrain / 4, columns), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* logits = context.at(logits_) + row * columns;
        float* gradient = dlogits + row * columns;
        if (weights[row] == 0.0f) {
          std::memset(gradient, 0, bytes);
          losses[row] = 0;
          continue;
        }
        const float scale = weight == 0 ? 0.0f : static_cast<float>(static_cast<double>(weights[row]) / weight);
        const int32_t* label = dense_ ? nullptr : context.at<int32_t>(labels_) + row;
        if (!dense_ && (!changed_ || *label < 0 || *label >= columns)) {
          kernels().softmax_cross_entropy(logits, label, 1, columns, scale, losses + row, gradient);
          continue;
        }
        const float* target = dense_ ? context.at(labels_) + row * columns : nullptr;
        if (changed_) {
          float* own = targets + row * columns;
          std::memcpy(own, spread_.data(), bytes);
          if (label != nullptr) {
            own[*label] += kept_[static_cast<size_t>(*label)];
          } else {
            for (int64_t k = 0; k < columns; ++k) own[k] += kept_[static_cast<size_t>(k)] * target[k];
          }
          target = own;
        }
        kernels().softmax_cross_entropy_dense(logits, target, 1, columns, scale, losses + row, gradient);
      }
    });
  }

  Operand logits_, labels_, loss_, dlogits_, weights_, weight_;
  bool dense_, has_dlogits_ = false, has_weights_ = false, has_weight_ = false, ignores_ = false, changed_ = false, has_class_weights_ = false;
  int32_t ignored_ = 0;
  // Of each class: its weight, what it weighs of a label, and what every row gets of it.
  std::vector<float> class_weights_, kept_, spread_;
};

}  // namespace

StepPointer make_softmax_cross_entropy(const StepSpec& spec) { return std::make_unique<SoftmaxCrossEntropy>(spec); }

}  // namespace convlane
