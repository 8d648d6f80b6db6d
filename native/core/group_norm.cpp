// SPDX-License-Identifier: MIT
// Group normalisation: each sample and group of channels has its mean and variance, over all positions. A sample is cut into stretches of positions by its
// size alone; what these find for each channel is merged in order, and the channels of a group after that, in double precision.
#include <cmath>

#include "checks.h"
#include "ops.h"
#include "parallel.h"

namespace convlane {

namespace {

constexpr int64_t kWholeSamples = 8;  // from so many on, each sample is a piece of work, its passes one after the other while it is in the cache

class GroupNormStep : public Step {
 protected:
  explicit GroupNormStep(const StepSpec& spec) : x_(tensor(spec, "x")), epsilon_(spec.number("epsilon")) {
    if (x_.rank < 2) refuse(spec, "x must have rank 2 or more, got shape " + shape_text(x_));
    if (!(epsilon_ >= 0)) refuse(spec, "epsilon must be 0 or more, got " + std::to_string(epsilon_));
    channels_ = last_size(x_);
    positions_ = x_.row_elements() / channels_;
    groups_ = spec.integers("groups", 1, 1, channels_)[0];
    if (channels_ % groups_ != 0) refuse(spec, "groups " + std::to_string(groups_) + " do not divide the " + std::to_string(channels_) + " channels");
    stretches_ = std::clamp(positions_ * channels_ / kElementGrain, int64_t{1}, std::min(kChunks, positions_));
  }

  Operand channel_values(const StepSpec& spec, const char* name, bool& present) const {
    const Operand* operand = optional_tensor(spec, name, 1);
    present = operand != nullptr;
    if (!present) return Operand{};
    not_batched(spec, name, *operand);
    expect_size(spec, name, "size", operand->shape[0], "x", channels_);
    return *operand;
  }
  Operand group_values(const StepSpec& spec, const char* name) const {
    const Operand& operand = tensor(spec, name, 2);
    same_batch(spec, "x", x_, name, operand);
    expect_size(spec, name, "size", operand.shape[1], "groups", groups_);
    return operand;
  }

  double inverse_deviation(float variance) const { return 1.0 / std::sqrt(static_cast<double>(variance) + epsilon_); }
  int64_t per_group() const { return channels_ / groups_; }
  int64_t first_of(int64_t stretch) const { return stretch * positions_ / stretches_; }

  // For each sample begin(sample); find(sample, stretch, first position, positions) for its stretches; finish(sample); write(…) as find.
  template <class Begin, class Find, class Finish, class Write>
  void over_samples(int64_t n, const Begin& begin, const Find& find, const Finish& finish, const Write& write) const {
    const auto all = [&](int64_t sample, const auto& f) {
      for (int64_t s = 0; s < stretches_; ++s) f(sample, s, first_of(s), first_of(s + 1) - first_of(s));
    };
    if (n >= kWholeSamples || stretches_ == 1) {
      parallel_blocks(n, divide_up(kElementGrain, positions_ * channels_), [&](int64_t first, int64_t last) {
        for (int64_t sample = first; sample < last; ++sample) begin(sample), all(sample, find), finish(sample), all(sample, write);
      });
      return;
    }
    const auto pieces = [&](const auto& f) {
      parallel_blocks(n * stretches_, 1, [&](int64_t piece, int64_t) {
        const int64_t s = piece % stretches_;
        f(piece / stretches_, s, first_of(s), first_of(s + 1) - first_of(s));
      });
    };
    for (int64_t sample = 0; sample < n; ++sample) begin(sample);
    pieces(find);
    for (int64_t sample = 0; sample < n; ++sample) finish(sample);
    pieces(write);
  }

  Operand x_;
  double epsilon_;
  int64_t channels_ = 1, positions_ = 1, groups_ = 1, stretches_ = 1;
};

class GroupNorm : public GroupNormStep {
 public:
  explicit GroupNorm(const StepSpec& spec) : GroupNormStep(spec), y_(tensor(spec, "y")), activation_(activation_of(spec)) {
    same_shape(spec, "x", x_, "y", y_);
    gamma_ = channel_values(spec, "gamma", has_gamma_);
    beta_ = channel_values(spec, "beta", has_beta_);
    has_mean_ = spec.optional("mean") != nullptr;
    if (has_mean_) mean_ = group_values(spec, "mean");
    has_variance_ = spec.optional("variance") != nullptr;
    if (has_variance_) variance_ = group_values(spec, "variance");
  }

  int64_t scratch_floats(int64_t n) const override { return rows_of(x_, n) * per_sample(); }

  void run(const RunContext& context) const override {
    const int64_t c = channels_, sample_size = positions_ * c;
    const float* x = context.at(x_);
    float* y = context.at(y_);
    // Of a sample: center, scale and offset of each channel, then mean and squares of each channel for each stretch.
    const auto memory = [&](int64_t sample) { return context.scratch + sample * per_sample(); };
    over_samples(
        rows_of(x_, context.n), [](int64_t) {},
        [&](int64_t sample, int64_t stretch, int64_t first, int64_t length) {
          float* found = memory(sample) + (3 + 2 * stretch) * c;
          kernels().column_moments(x + sample * sample_size + first * c, length, c, found, found + c);
        },
        [&](int64_t sample) { finish(context, sample, memory(sample)); },
        [&](int64_t sample, int64_t, int64_t first, int64_t length) {
          const int64_t at = sample * sample_size + first * c;
          const float* m = memory(sample);
          kernels().batch_norm(x + at, m, m + c, m + 2 * c, nullptr, length, c, activation_, false, y + at);
        });
  }

 private:
  int64_t per_sample() const { return (3 + 2 * stretches_) * channels_; }

  // Joins (mean, squares) of `count` values to those of `seen`, as Chan, Golub and LeVeque have it.
  static void join(double& mean, double& squares, double& seen, double other, double other_squares, double count) {
    const double delta = other - mean;
    mean += delta * (count / (seen + count));
    squares += other_squares + delta * delta * (seen / (seen + count) * count);
    seen += count;
  }

  void finish(const RunContext& context, int64_t sample, float* memory) const {
    const int64_t c = channels_;
    float *center = memory, *scale = center + c, *offset = scale + c;
    const float *found = offset + c, *gamma = has_gamma_ ? context.at(gamma_) : nullptr, *beta = has_beta_ ? context.at(beta_) : nullptr;
    for (int64_t g = 0; g < groups_; ++g) {
      double mean = 0, squares = 0, seen = 0;
      for (int64_t j = g * per_group(); j < (g + 1) * per_group(); ++j) {
        double m = found[j], s = found[c + j], rows = static_cast<double>(first_of(1));
        for (int64_t stretch = 1; stretch < stretches_; ++stretch) {
          join(m, s, rows, found[2 * stretch * c + j], found[(2 * stretch + 1) * c + j], static_cast<double>(first_of(stretch + 1) - first_of(stretch)));
        }
        join(mean, squares, seen, m, s, rows);
      }
      const float rounded = static_cast<float>(mean), variance = static_cast<float>(squares / seen);
      if (has_mean_) context.at(mean_)[sample * groups_ + g] = rounded;
      if (has_variance_) context.at(variance_)[sample * groups_ + g] = variance;
      const double inverse = inverse_deviation(variance);
      for (int64_t j = g * per_group(); j < (g + 1) * per_group(); ++j) {
        center[j] = rounded;
        scale[j] = static_cast<float>((gamma ? gamma[j] : 1.0) * inverse);
        offset[j] = beta ? beta[j] : 0.0f;
      }
    }
  }

  Operand y_, gamma_, beta_, mean_, variance_;
  Activation activation_;
  bool has_gamma_ = false, has_beta_ = false, has_mean_ = false, has_variance_ = false;
};

class GroupNormBackward : public GroupNormStep {
 public:
  explicit GroupNormBackward(const StepSpec& spec)
      : GroupNormStep(spec), dy_(tensor(spec, "dy")), mean_(group_values(spec, "mean")), variance_(group_values(spec, "variance")) {
    same_shape(spec, "x", x_, "dy", dy_);
    gamma_ = channel_values(spec, "gamma", has_gamma_);
    dgamma_ = channel_values(spec, "dgamma", has_dgamma_);
    dbeta_ = channel_values(spec, "dbeta", has_dbeta_);
    has_dx_ = spec.optional("dx") != nullptr;
    if (!has_dx_) return;
    dx_ = tensor(spec, "dx");
    same_shape(spec, "x", x_, "dx", dx_);
  }

  int64_t scratch_floats(int64_t n) const override { return rows_of(x_, n) * per_sample(); }

  void run(const RunContext& context) const override {
    const int64_t c = channels_, n = rows_of(x_, context.n), sample_size = positions_ * c;
    const float *dy = context.at(dy_), *x = context.at(x_), *mean = context.at(mean_);
    float* dx = has_dx_ ? context.at(dx_) : nullptr;
    // Of a sample, for each channel: center, scale, slope, offset, its parts of dgamma and dbeta, then the sums of dy and of dy (x - mean) for each stretch.
    const auto memory = [&](int64_t sample) { return context.scratch + sample * per_sample(); };
    over_samples(
        n,
        [&](int64_t sample) {
          for (int64_t j = 0; j < c; ++j) memory(sample)[j] = mean[sample * groups_ + j / per_group()];
        },
        [&](int64_t sample, int64_t stretch, int64_t first, int64_t length) {
          const int64_t at = sample * sample_size + first * c;
          float* found = memory(sample) + (6 + 2 * stretch) * c;
          kernels().column_products({dy + at, x + at, memory(sample), nullptr, nullptr, length, c}, found, found + c);
        },
        [&](int64_t sample) { finish(context, sample, memory(sample)); },
        [&](int64_t sample, int64_t, int64_t first, int64_t length) {
          if (dx == nullptr) return;
          const int64_t at = sample * sample_size + first * c;
          const float* m = memory(sample);
          kernels().batch_norm_backward({dy + at, x + at, m, m + c, nullptr, length, c}, m + 2 * c, m + 3 * c, dx + at);
        });
    if (has_dgamma_) sum_samples(memory(0) + 4 * c, n, context.at(dgamma_));
    if (has_dbeta_) sum_samples(memory(0) + 5 * c, n, context.at(dbeta_));
  }

 private:
  int64_t per_sample() const { return (6 + 2 * stretches_) * channels_; }

  void finish(const RunContext& context, int64_t sample, float* memory) const {
    const int64_t c = channels_;
    float *scale = memory + c, *slope = scale + c, *offset = slope + c, *dgamma = offset + c, *dbeta = dgamma + c;
    const float *found = dbeta + c, *gamma = has_gamma_ ? context.at(gamma_) : nullptr, *variance = context.at(variance_) + sample * groups_;
    const double values = static_cast<double>(positions_ * per_group());
    for (int64_t g = 0; g < groups_; ++g) {
      const double inverse = inverse_deviation(variance[g]);
      double total = 0, product = 0;
      for (int64_t j = g * per_group(); j < (g + 1) * per_group(); ++j) {
        double sum = 0, with_x = 0;
        for (int64_t stretch = 0; stretch < stretches_; ++stretch) {
          sum += found[2 * stretch * c + j];
          with_x += found[(2 * stretch + 1) * c + j];
        }
        dgamma[j] = static_cast<float>(with_x * inverse);
        dbeta[j] = static_cast<float>(sum);
        total += (gamma ? gamma[j] : 1.0) * sum;
        product += (gamma ? gamma[j] : 1.0) * with_x;
      }
      for (int64_t j = g * per_group(); j < (g + 1) * per_group(); ++j) {
        scale[j] = static_cast<float>((gamma ? gamma[j] : 1.0) * inverse);
        slope[j] = static_cast<float>(-inverse * inverse * inverse * product / values);
        offset[j] = static_cast<float>(-inverse * total / values);
      }
    }
  }

  void sum_samples(const float* parts, int64_t n, float* out) const {
    for (int64_t j = 0; j < channels_; ++j) {
      double sum = 0;
      for (int64_t sample = 0; sample < n; ++sample) sum += parts[sample * per_sample() + j];
      out[j] = static_cast<float>(sum);
    }
  }

  Operand dy_, mean_, variance_, gamma_, dx_, dgamma_, dbeta_;
  bool has_gamma_ = false, has_dx_ = false, has_dgamma_ = false, has_dbeta_ = false;
};

}  // namespace

StepPointer make_group_norm(const StepSpec& spec) { return std::make_unique<GroupNorm>(spec); }
StepPointer make_group_norm_backward(const StepSpec& spec) { return std::make_unique<GroupNormBackward>(spec); }

}  // namespace convlane
