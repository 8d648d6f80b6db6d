// SPDX-License-Identifier: MIT
// Layer and RMS normalisation: the last axes of x are a row, which is normalised by itself. gamma and beta have a value for each column.
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

constexpr int64_t kLeafRows = 64;  // rows that dgamma and dbeta are summed over in one chain

class RowNormStep : public Step {
 protected:
  explicit RowNormStep(const StepSpec& spec)
      : x_(tensor(spec, "x")), epsilon_(spec.number("epsilon")), centered_(spec.op.compare(0, 5, "layer") == 0),
        axes_(static_cast<int32_t>(spec.integers("axes", 1, 1, kMaxRank)[0])) {
    if (axes_ >= x_.rank) refuse(spec, "axes must leave the first axis of x, got " + std::to_string(axes_) + " of shape " + shape_text(x_));
    if (!(epsilon_ >= 0)) refuse(spec, "epsilon must be 0 or more, got " + std::to_string(epsilon_));
    for (int32_t axis = x_.rank - axes_; axis < x_.rank; ++axis) columns_ *= x_.shape[axis];
  }

  // A value for each row.
  Operand row_values(const StepSpec& spec, const char* name) const {
    const Operand& operand = tensor(spec, name, x_.rank - axes_);
    same_batch(spec, "x", x_, name, operand);
    for (int32_t axis = 1; axis < operand.rank; ++axis) expect_size(spec, name, "a size of", operand.shape[axis], "x", x_.shape[axis]);
    return operand;
  }
  // A value for each column, where it is there.
  Operand column_values(const StepSpec& spec, const char* name, bool& present) const {
    const Operand* operand = optional_tensor(spec, name, axes_);
    present = operand != nullptr;
    if (!present) return Operand{};
    not_batched(spec, name, *operand);
    for (int32_t axis = 0; axis < axes_; ++axis) expect_size(spec, name, "a size of", operand->shape[axis], "x", x_.shape[x_.rank - axes_ + axis]);
    return *operand;
  }

  int64_t rows(int64_t n) const { return x_.elements(n) / columns_; }
  float inverse_deviation(float variance) const { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance) + epsilon_)); }
  // The operand, or `memory` filled with `value`.
  const float* or_filled(const RunContext& context, bool present, const Operand& operand, float* memory, float value) const {
    if (present) return context.at(operand);
    std::fill_n(memory, columns_, value);
    return memory;
  }

  Operand x_;
  double epsilon_;
  bool centered_;
  int32_t axes_;
  int64_t columns_ = 1;
};

class RowNorm : public RowNormStep {
 public:
  explicit RowNorm(const StepSpec& spec) : RowNormStep(spec), y_(tensor(spec, "y")), activation_(activation_of(spec)) {
    same_shape(spec, "x", x_, "y", y_);
    gamma_ = column_values(spec, "gamma", has_gamma_);
    if (centered_) beta_ = column_values(spec, "beta", has_beta_);
    has_mean_ = centered_ && spec.optional("mean") != nullptr;
    if (has_mean_) mean_ = row_values(spec, "mean");
    const char* name = centered_ ? "variance" : "meanSquare";
    has_variance_ = spec.optional(name) != nullptr;
    if (has_variance_) variance_ = row_values(spec, name);
  }

  int64_t scratch_floats(int64_t n) const override { return 2 * columns_ + 3 * rows(n); }

  void run(const RunContext& context) const override {
    const int64_t all = rows(context.n);
    float *ones = context.scratch, *zeros = ones + columns_, *inverse = zeros + columns_;
    float* mean = has_mean_ ? context.at(mean_) : centered_ ? inverse + all : nullptr;
    float* variance = has_variance_ ? context.at(variance_) : inverse + 2 * all;
    const float *gamma = or_filled(context, has_gamma_, gamma_, ones, 1.0f), *beta = or_filled(context, has_beta_, beta_, zeros, 0.0f);
    const float* x = context.at(x_);
    float* y = context.at(y_);
    // A stretch of rows is still in the cache when it is normalised.
    parallel_blocks(all, divide_up(kElementGrain, columns_), [&](int64_t begin, int64_t end) {
      float* means = mean == nullptr ? nullptr : mean + begin;
      kernels().row_moments(x + begin * columns_, end - begin, columns_, centered_, means, variance + begin);
      for (int64_t r = begin; r < end; ++r) inverse[r] = inverse_deviation(variance[r]);
      kernels().row_norm(x + begin * columns_, means, inverse + begin, gamma, beta, end - begin, columns_, activation_, y + begin * columns_);
    });
  }

 private:
  Operand y_, gamma_, beta_, mean_, variance_;
  Activation activation_;
  bool has_gamma_ = false, has_beta_ = false, has_mean_ = false, has_variance_ = false;
};

class RowNormBackward : public RowNormStep {
 public:
  explicit RowNormBackward(const StepSpec& spec)
      : RowNormStep(spec), dy_(tensor(spec, "dy")), variance_(row_values(spec, centered_ ? "variance" : "meanSquare")) {
    same_shape(spec, "x", x_, "dy", dy_);
    if (centered_) mean_ = row_values(spec, "mean");
    gamma_ = column_values(spec, "gamma", has_gamma_);
    dgamma_ = column_values(spec, "dgamma", has_dgamma_);
    if (centered_) dbeta_ = column_values(spec, "dbeta", has_dbeta_);
    has_dx_ = spec.optional("dx") != nullptr;
    if (!has_dx_) return;
    dx_ = tensor(spec, "dx");
    same_shape(spec, "x", x_, "dx", dx_);
  }

  int64_t scratch_floats(int64_t n) const override { return columns_ + rows(n) + (wants_sums() ? stretches(n) * 4 * columns_ : 0); }

  void run(const RunContext& context) const override {
    const int64_t c = columns_, all = rows(context.n), count = stretches(context.n);
    float *ones = context.scratch, *inverse = ones + c, *sums = inverse + all;
    const float* gamma = or_filled(context, has_gamma_, gamma_, ones, 1.0f);
    const float *dy = context.at(dy_), *x = context.at(x_), *mean = centered_ ? context.at(mean_) : nullptr, *variance = context.at(variance_);
    float* dx = has_dx_ ? context.at(dx_) : nullptr;
    parallel_blocks(count, 1, [&](int64_t stretch, int64_t) {
      const int64_t first = stretch * all / count, last = (stretch + 1) * all / count;
      float* total = sums + stretch * 4 * c;
      if (wants_sums()) std::fill_n(total, 4 * c, 0.0f);
      for (int64_t r = first; r < last; r += kLeafRows) {
        const int64_t length = std::min(kLeafRows, last - r);
        // The first leaf is summed in place, later ones beside it.
        float* leaf = !wants_sums() ? nullptr : r == first ? total : total + 2 * c;
        for (int64_t i = r; i < r + length; ++i) inverse[i] = inverse_deviation(variance[i]);
        kernels().row_norm_backward(dy + r * c, x + r * c, centered_ ? mean + r : nullptr, inverse + r, gamma, length, c, has_dx_ ? dx + r * c : nullptr, leaf,
                                    wants_sums() ? leaf + c : nullptr);
        if (!wants_sums() || r == first) continue;
        kernels().axpy(1.0f, leaf, total, 2 * c);
        std::fill_n(leaf, 2 * c, 0.0f);
      }
    });
    if (has_dgamma_) merge(sums, count, context.at(dgamma_));
    if (has_dbeta_) merge(sums + c, count, context.at(dbeta_));
  }

 private:
  bool wants_sums() const { return has_dgamma_ || has_dbeta_; }
  int64_t stretches(int64_t n) const { return std::clamp(x_.elements(n) / kElementGrain, int64_t{1}, std::min(kChunks, rows(n))); }

  void merge(const float* sums, int64_t count, float* out) const {
    parallel_blocks(columns_, kElementGrain, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; ++j) {
        double sum = 0;
        for (int64_t stretch = 0; stretch < count; ++stretch) sum += sums[stretch * 4 * columns_ + j];
        out[j] = static_cast<float>(sum);
      }
    });
  }

  Operand dy_, variance_, mean_, gamma_, dx_, dgamma_, dbeta_;
  bool has_gamma_ = false, has_dx_ = false, has_dgamma_ = false, has_dbeta_ = false;
};

}  // namespace

StepPointer make_row_norm(const StepSpec& spec) { return std::make_unique<RowNorm>(spec); }
StepPointer make_row_norm_backward(const StepSpec& spec) { return std::make_unique<RowNormBackward>(spec); }

}  // namespace convlane
