// SPDX-License-Identifier: MIT
#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// Scratch: the loss of each row, then dlogits where the caller wants none (the kernel works in it).
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
  }

  int64_t scratch_floats(int64_t n) const override {
    const int64_t rows = rows_of(logits_, n);
    return round_up(rows, 16) + (has_dlogits_ ? 0 : rows * logits_.shape[1]);
  }

  void run(const RunContext& context) const override {
    const int64_t rows = rows_of(logits_, context.n), columns = logits_.shape[1];
    const float scale = 1.0f / static_cast<float>(rows);
    const float* logits = context.at(logits_);
    float* losses = context.scratch;
    float* dlogits = has_dlogits_ ? context.at(dlogits_) : context.scratch + round_up(rows, 16);
    parallel_blocks(rows, divide_up(kElementGrain / 4, columns), [&](int64_t begin, int64_t end) {
      const int64_t at = begin * columns;
      if (dense_) {
        kernels().softmax_cross_entropy_dense(logits + at, context.at(labels_) + at, end - begin, columns, scale, losses + begin, dlogits + at);
      } else {
        kernels().softmax_cross_entropy(logits + at, context.at<int32_t>(labels_) + begin, end - begin, columns, scale, losses + begin, dlogits + at);
      }
    });
    double total = 0;
    for (int64_t row = 0; row < rows; ++row) total += static_cast<double>(losses[row]);
    *context.at(loss_) = static_cast<float>(total / static_cast<double>(rows));
  }

 private:
  Operand logits_, labels_, loss_, dlogits_;
  bool dense_, has_dlogits_ = false;
};

}  // namespace

StepPointer make_softmax_cross_entropy(const StepSpec& spec) { return std::make_unique<SoftmaxCrossEntropy>(spec); }

}  // namespace convlane
