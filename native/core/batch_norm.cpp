// SPDX-License-Identifier: MIT
// Batch normalisation over all axes but the last. Rows are cut into stretches by sizes alone; what these find is merged in order, in double precision.
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"
#include "stream.h"

namespace convlane {

namespace {

constexpr int64_t kStretch = 2 * kElementGrain;  // elements of a stretch, at least
constexpr int64_t kMerged = 64;                   // channels merged together

// What all three have: x of rank 2 or more, values per channel, epsilon.
class PerChannel : public Step {
 protected:
  explicit PerChannel(const StepSpec& spec) : x_(tensor(spec, "x")), epsilon_(spec.number("epsilon")) {
    if (x_.rank < 2) refuse(spec, "x must have rank 2 or more, got shape " + shape_text(x_));
    if (!(epsilon_ >= 0)) refuse(spec, "epsilon must be 0 or more, got " + std::to_string(epsilon_));
  }

  Operand channel_values(const StepSpec& spec, const char* name) const {
    const Operand& operand = tensor(spec, name, 1);
    not_batched(spec, name, operand);
    expect_size(spec, name, "size", operand.shape[0], "x", channels());
    return operand;
  }
  Operand optional_values(const StepSpec& spec, const char* name, bool& present) const {
    present = spec.optional(name) != nullptr;
    return present ? channel_values(spec, name) : Operand{};
  }

  int64_t channels() const { return last_size(x_); }
  int64_t rows(int64_t n) const { return x_.elements(n) / channels(); }
  int64_t stretches(int64_t n) const { return std::clamp(x_.elements(n) / kStretch, int64_t{1}, std::min(kChunks, rows(n))); }
  double inverse_deviation(float variance) const { return 1.0 / std::sqrt(static_cast<double>(variance) + epsilon_); }

  // f(stretch, first row, number of rows)
  template <class F>
  void for_stretches(int64_t n, F&& f) const {
    const int64_t all = rows(n), count = stretches(n);
    parallel_blocks(count, 1, [&](int64_t stretch, int64_t) {
      const int64_t first = stretch * all / count;
      f(stretch, first, (stretch + 1) * all / count - first);
    });
  }

  // f(first row, number of rows) for what comes after the statistics: the last rows first, which the caches still hold.
  template <class F>
  void for_rows_back(int64_t n, F&& f) const {
    const int64_t all = rows(n), together = divide_up(kElementGrain, channels()), blocks = divide_up(all, together);
    parallel_blocks(blocks, 1, [&](int64_t block, int64_t) {
      const int64_t first = (blocks - 1 - block) * together;
      f(first, std::min(together, all - first));
    });
  }

  Operand x_;
  double epsilon_;
};

// y = act((x - mean) gamma / sqrt(variance + epsilon) + beta): what training and inference end with.
class Forward : public PerChannel {
 protected:
  explicit Forward(const StepSpec& spec) : PerChannel(spec), y_(tensor(spec, "y")), activation_(activation_of(spec)) {
    same_shape(spec, "x", x_, "y", y_);
    gamma_ = optional_values(spec, "gamma", has_gamma_);
    beta_ = optional_values(spec, "beta", has_beta_);
  }

  // `memory` has room for three values a channel. Two passes over x and one over y: what goes past the caches leaves x there for the second.
  void normalize(const RunContext& context, const float* mean, const float* variance, float* memory) const {
    const int64_t c = channels();
    float *center = memory, *scale = memory + c, *offset = memory + 2 * c;
    const float *gamma = has_gamma_ ? context.at(gamma_) : nullptr, *beta = has_beta_ ? context.at(beta_) : nullptr;
    for (int64_t j = 0; j < c; ++j) {
      center[j] = mean[j];
      scale[j] = static_cast<float>((gamma ? gamma[j] : 1.0) * inverse_deviation(variance[j]));
      offset[j] = beta ? beta[j] : 0.0f;
    }
    const float *x = context.at(x_), *residual = has_residual_ ? context.at(residual_) : nullptr;
    float* y = context.at(y_);
    const bool stream = y != x && y != residual && goes_past_caches(2 * x_.elements(context.n), c, y);
    for_rows_back(context.n, [&](int64_t first, int64_t length) {
      kernels().batch_norm(x + first * c, center, scale, offset, residual == nullptr ? nullptr : residual + first * c, length, c, activation_, stream, y + first * c);
    });
  }

  Operand y_, gamma_, beta_, residual_;
  Activation activation_;
  bool has_gamma_ = false, has_beta_ = false, has_residual_ = false;
};

class BatchNorm : public Forward {
 public:
  explicit BatchNorm(const StepSpec& spec) : Forward(spec), mean_(channel_values(spec, "mean")), variance_(channel_values(spec, "variance")) {
    if (const Operand* residual = optional_tensor(spec, "residual")) {
      same_shape(spec, "x", x_, "residual", *residual);
      residual_ = *residual;
      has_residual_ = true;
    }
  }

  int64_t scratch_floats(int64_t n) const override { return (5 + 2 * stretches(n)) * channels(); }

  void run(const RunContext& context) const override {
    const int64_t c = channels(), all = rows(context.n), count = stretches(context.n);
    float *mean = context.scratch + 3 * c, *variance = mean + c, *means = variance + c, *squares = means + count * c;
    const float* x = context.at(x_);
    for_stretches(context.n, [&](int64_t stretch, int64_t first, int64_t length) {
      kernels().column_moments(x + first * c, length, c, means + stretch * c, squares + stretch * c);
    });
    parallel_blocks(c, kMerged, [&](int64_t begin, int64_t end) {
      double m[kMerged], s[kMerged], seen = static_cast<double>(all / count);
      for (int64_t j = begin; j < end; ++j) m[j - begin] = means[j], s[j - begin] = squares[j];
      for (int64_t stretch = 1; stretch < count; ++stretch) {
        const double length = static_cast<double>((stretch + 1) * all / count - stretch * all / count);
        const double share = length / (seen + length), weight = seen * share;
        for (int64_t j = begin; j < end; ++j) {
          const double delta = means[stretch * c + j] - m[j - begin];
          m[j - begin] += delta * share;
          s[j - begin] += squares[stretch * c + j] + delta * delta * weight;
        }
        seen += length;
      }
      for (int64_t j = begin; j < end; ++j) {
        mean[j] = static_cast<float>(m[j - begin]);
        variance[j] = static_cast<float>(s[j - begin] / seen);
      }
    });
    normalize(context, mean, variance, context.scratch);
    std::copy_n(mean, c, context.at(mean_));  // last: they may lie on what was read
    std::copy_n(variance, c, context.at(variance_));
  }

 private:
  Operand mean_, variance_;
};

class BatchNormInference : public Forward {
 public:
  explicit BatchNormInference(const StepSpec& spec) : Forward(spec), mean_(channel_values(spec, "mean")), variance_(channel_values(spec, "variance")) {}

  int64_t scratch_floats(int64_t) const override { return 3 * channels(); }
  void run(const RunContext& context) const override { normalize(context, context.at(mean_), context.at(variance_), context.scratch); }

 private:
  Operand mean_, variance_;
};

class BatchNormBackward : public PerChannel {
 public:
  explicit BatchNormBackward(const StepSpec& spec)
      : PerChannel(spec), dy_(tensor(spec, "dy")), mean_(channel_values(spec, "mean")), variance_(channel_values(spec, "variance")) {
    same_shape(spec, "x", x_, "dy", dy_);
    const Activation activation = activation_of(spec);
    if (activation != Activation::linear && activation != Activation::relu) refuse(spec, "activation must be 'linear' or 'relu'");
    gated_ = activation == Activation::relu;
    gamma_ = optional_values(spec, "gamma", has_gamma_);
    beta_ = optional_values(spec, "beta", has_beta_);
    dgamma_ = optional_values(spec, "dgamma", has_dgamma_);
    dbeta_ = optional_values(spec, "dbeta", has_dbeta_);
    has_dx_ = spec.optional("dx") != nullptr;
    if (!has_dx_) return;
    dx_ = tensor(spec, "dx");
    same_shape(spec, "x", x_, "dx", dx_);
  }

  int64_t scratch_floats(int64_t n) const override { return (8 + 2 * stretches(n)) * channels(); }

  // Results may lie on operands of their size: what is read of each channel is copied first, and what is found of each is written last.
  void run(const RunContext& context) const override {
    const int64_t c = channels(), all = rows(context.n), count = stretches(context.n);
    float *center = context.scratch, *inverse = center + c, *scale = inverse + c, *gate = scale + c, *slope = gate + c, *offset = slope + c;
    float *dgamma = offset + c, *dbeta = dgamma + c, *sums = dbeta + c, *products = sums + count * c;
    const float *mean = context.at(mean_), *variance = context.at(variance_);
    const float *gamma = has_gamma_ ? context.at(gamma_) : nullptr, *beta = has_beta_ ? context.at(beta_) : nullptr;
    for (int64_t j = 0; j < c; ++j) {
      center[j] = mean[j];
      inverse[j] = static_cast<float>(inverse_deviation(variance[j]));
      scale[j] = static_cast<float>((gamma ? gamma[j] : 1.0) * inverse_deviation(variance[j]));
      gate[j] = beta ? beta[j] : 0.0f;
    }
    const NormGradient whole{context.at(dy_), context.at(x_), center, scale, gated_ ? gate : nullptr, all, c};
    for_stretches(context.n, [&](int64_t stretch, int64_t first, int64_t length) {
      kernels().column_products(whole.part(first, length), sums + stretch * c, products + stretch * c);
    });
    parallel_blocks(c, kMerged, [&](int64_t begin, int64_t end) {
      double sum[kMerged] = {}, product[kMerged] = {};
      for (int64_t stretch = 0; stretch < count; ++stretch) {
        for (int64_t j = begin; j < end; ++j) sum[j - begin] += sums[stretch * c + j], product[j - begin] += products[stretch * c + j];
      }
      for (int64_t j = begin; j < end; ++j) {
        const double factor = scale[j], root = inverse[j], p = product[j - begin], q = sum[j - begin];
        dgamma[j] = static_cast<float>(p * root);
        dbeta[j] = static_cast<float>(q);
        slope[j] = static_cast<float>(-factor * root * root * p / static_cast<double>(all));
        offset[j] = static_cast<float>(-factor * q / static_cast<double>(all));
      }
    });
    if (has_dx_) {
      float* dx = context.at(dx_);
      for_rows_back(context.n, [&](int64_t first, int64_t length) {
        kernels().batch_norm_backward(whole.part(first, length), slope, offset, dx + first * c);
      });
    }
    if (has_dgamma_) std::copy_n(dgamma, c, context.at(dgamma_));
    if (has_dbeta_) std::copy_n(dbeta, c, context.at(dbeta_));
  }

 private:
  Operand dy_, mean_, variance_, gamma_, beta_, dx_, dgamma_, dbeta_;
  bool gated_ = false, has_gamma_ = false, has_beta_ = false, has_dx_ = false, has_dgamma_ = false, has_dbeta_ = false;
};

class MovingAverage : public Step {
 public:
  explicit MovingAverage(const StepSpec& spec)
      : param_(tensor(spec, "param")), value_(tensor(spec, "value")), share_(spec.string("share", "")) {
    if (share_.empty()) momentum_ = number_between(spec, "momentum", 0, 1);
    same_shape(spec, "param", param_, "value", value_);
    not_batched(spec, "param", param_);
  }

  std::vector<std::string> scalars() const override { return share_.empty() ? std::vector<std::string>{} : std::vector<std::string>{share_}; }
  void run(const RunContext& context) const override {
    float* param = context.at(param_);
    const float* value = context.at(value_);
    const double taken = share_.empty() ? 1 - momentum_ : context.scalar(share_.c_str());
    const double kept = share_.empty() ? momentum_ : 1 - taken;
    parallel_blocks(param_.elements(), kElementGrain, [&](int64_t begin, int64_t end) {
      if (!share_.empty() && kept == 0) return kernels().scale(value + begin, 1.0f, param + begin, end - begin);  // whatever was there
      kernels().scale(param + begin, static_cast<float>(kept), param + begin, end - begin);
      kernels().axpy(static_cast<float>(taken), value + begin, param + begin, end - begin);
    });
  }

 private:
  Operand param_, value_;
  std::string share_;  // name of the scalar that says how much is taken of the value
  double momentum_ = 0;
};

}  // namespace

StepPointer make_batch_norm(const StepSpec& spec) { return std::make_unique<BatchNorm>(spec); }
StepPointer make_batch_norm_inference(const StepSpec& spec) { return std::make_unique<BatchNormInference>(spec); }
StepPointer make_batch_norm_backward(const StepSpec& spec) { return std::make_unique<BatchNormBackward>(spec); }
StepPointer make_moving_average(const StepSpec& spec) { return std::make_unique<MovingAverage>(spec); }

}  // namespace convlane
