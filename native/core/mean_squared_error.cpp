// SPDX-License-Identifier: MIT
#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

// Scratch: one double for each chunk's sum.
class MeanSquaredError : public Step {
 public:
  explicit MeanSquaredError(const StepSpec& spec)
      : predictions_(tensor(spec, "predictions")), targets_(tensor(spec, "targets")), loss_(single_value(spec, "loss")) {
    same_shape(spec, "predictions", predictions_, "targets", targets_);
    if (const Operand* dpredictions = optional_tensor(spec, "dpredictions")) {
      same_shape(spec, "dpredictions", *dpredictions, "predictions", predictions_);
      dpredictions_ = *dpredictions;
      has_dpredictions_ = true;
    }
  }

  int64_t scratch_floats(int64_t n) const override {
    return divide_up(predictions_.elements(n), kElementGrain) * static_cast<int64_t>(sizeof(double) / sizeof(float));
  }

  void run(const RunContext& context) const override {
    const int64_t count = predictions_.elements(context.n);
    const float *predictions = context.at(predictions_), *targets = context.at(targets_);
    float* dpredictions = has_dpredictions_ ? context.at(dpredictions_) : nullptr;
    double* sums = reinterpret_cast<double*>(context.scratch);
    const float scale = static_cast<float>(2.0 / static_cast<double>(count));
    parallel_blocks(count, kElementGrain, [&](int64_t begin, int64_t end) {
      sums[begin / kElementGrain] =
          kernels().squared_error(predictions + begin, targets + begin, end - begin, scale, dpredictions == nullptr ? nullptr : dpredictions + begin);
    });
    double total = 0;
    for (int64_t chunk = 0; chunk < divide_up(count, kElementGrain); ++chunk) total += sums[chunk];
    *context.at(loss_) = static_cast<float>(total / static_cast<double>(count));
  }

 private:
  Operand predictions_, targets_, loss_, dpredictions_;
  bool has_dpredictions_ = false;
};

}  // namespace

StepPointer make_mean_squared_error(const StepSpec& spec) { return std::make_unique<MeanSquaredError>(spec); }

}  // namespace convlane
