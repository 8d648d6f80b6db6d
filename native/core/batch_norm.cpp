// SPDX-License-Identifier: MIT
// Batch normalisation over all axes but the last. Rows are cut into stretches by sizes alone; what these find is merged in order, in double precision.
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

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
  int64_t stretches(int64_t n) const { return std::clamp(x_.elements(n) / kElementGrain, int64_t{1}, std::min(kChunks, rows(n))); }
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

  // `memory` has room for three values a channel.
  void normalize(const RunContext& context, const float* mean, const float* variance, float* memory) const {
    const int64_t c = channels();
    float *center = memory, *scale = memory + c, *offset = memory + 2 * c;
    const float *gamma = has_gamma_ ? context.at(gamma_) : nullptr, *beta = has_beta_ ? context.at(beta_) : nullptr;
    for (int64_t j = 0; j < c; ++j) {
      center[j] = mean[j];
      scale[j] = static_cast<float>((gamma ? gamma[j] : 1.0) * inverse_deviation(variance[j]));
      offset[j] = beta ? beta[j] : 0.0f;
    }
    const float* x = context.at(x_);
    float* y = context.at(y_);
    parallel_blocks(rows(context.n), divide_up(kElementGrain, c), [&](int64_t begin, int64_t end) {
      kernels().batch_norm(x + begin * c, center, scale, offset, end - begin, c, activation_, y + begin * c);
    });
  }

  Operand y_, gamma_, beta_;
  Activation activation_;
  bool has_gamma_ = false, has_beta_ = false;
};

class BatchNorm : public Forward {
 public:
  explicit BatchNorm(const StepSpec& spec) : Forward(spec), mean_(channel_values(spec, "mean")), variance_(channel_values(spec, "variance")) {}

  int64_t scratch_floats(int64_t n) const override { return (3 + 2 * stretches(n)) * channels(); }

  void run(const RunContext& context) const override {
    const int64_t c = channels(), all = rows(context.n), count = stretches(context.n);
    float *means = context.scratch + 3 * c, *squares = means + count * c;
    const float* x = context.at(x_);
    for_stretches(context.n, [&](int64_t stretch, int64_t first, int64_t length) {
      kernels().column_moments(x + first * c, length, c, means + stretch * c, squares + stretch * c);
    });
    float *mean = context.at(mean_), *variance = context.at(variance_);
    for (int64_t j = 0; j < c; ++j) {
      double m = means[j], s = squares[j], seen = static_cast<double>(all / count);
      for (int64_t stretch = 1; stretch < count; ++stretch) {
        const double length = static_cast<double>((stretch + 1) * all / count - stretch * all / count);
        const double delta = means[stretch * c + j] - m;
        m += delta * (length / (seen + length));
        s += squares[stretch * c + j] + delta * delta * (seen / (seen + length) * length);
        seen += length;
      }
      mean[j] = static_cast<float>(m);
      variance[j] = static_cast<float>(s / seen);
    }
    normalize(context, mean, variance, context.scratch);
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
    gamma_ = optional_values(spec, "gamma", has_gamma_);
    dgamma_ = optional_values(spec, "dgamma", has_dgamma_);
    dbeta_ = optional_values(spec, "dbeta", has_dbeta_);
    has_dx_ = spec.optional("dx") != nullptr;
    if (!has_dx_) return;
    dx_ = tensor(spec, "dx");
    same_shape(spec, "x", x_, "dx", dx_);
  }

  int64_t scratch_floats(int64_t n) const override { return (3 + 2 * stretches(n)) * channels(); }

  void run(const RunContext& context) const override {
    const int64_t c = channels(), all = rows(context.n), count = stretches(context.n);
    float *scale = context.scratch, *slope = scale + c, *offset = slope + c, *sums = offset + c, *products = sums + count * c;
    const float *dy = context.at(dy_), *x = context.at(x_), *mean = context.at(mean_), *variance = context.at(variance_);
    for_stretches(context.n, [&](int64_t stretch, int64_t first, int64_t length) {
      kernels().column_products(dy + first * c, x + first * c, mean, length, c, sums + stretch * c, products + stretch * c);
    });
    const float* gamma = has_gamma_ ? context.at(gamma_) : nullptr;
    float *dgamma = has_dgamma_ ? context.at(dgamma_) : nullptr, *dbeta = has_dbeta_ ? context.at(dbeta_) : nullptr;
    for (int64_t j = 0; j < c; ++j) {
      double sum = 0, product = 0;
      for (int64_t stretch = 0; stretch < count; ++stretch) {
        sum += sums[stretch * c + j];
        product += products[stretch * c + j];
      }
      const double inverse = inverse_deviation(variance[j]), factor = (gamma ? gamma[j] : 1.0) * inverse;
      if (dgamma) dgamma[j] = static_cast<float>(product * inverse);
      if (dbeta) dbeta[j] = static_cast<float>(sum);
      scale[j] = static_cast<float>(factor);
      slope[j] = static_cast<float>(-factor * inverse * inverse * product / static_cast<double>(all));
      offset[j] = static_cast<float>(-factor * sum / static_cast<double>(all));
    }
    if (!has_dx_) return;
    float* dx = context.at(dx_);
    parallel_blocks(all, divide_up(kElementGrain, c), [&](int64_t begin, int64_t end) {
      kernels().batch_norm_backward(dy + begin * c, x + begin * c, mean, scale, slope, offset, end - begin, c, dx + begin * c);
    });
  }

 private:
  Operand dy_, mean_, variance_, gamma_, dx_, dgamma_, dbeta_;
  bool has_gamma_ = false, has_dx_ = false, has_dgamma_ = false, has_dbeta_ = false;
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
