// SPDX-License-Identifier: MIT
// Turned, resized, slanted and moved images: each pixel is read from where an affine map says, between pixels bilinearly.
#include <cmath>

#include "transformation.h"

namespace convlane {

namespace {

using Mode = TransformationSpec::Mode;

// Sine and cosine by Taylor's series on -45 .. 45 degrees: the same bits wherever they are computed, exact at whole quarters of a turn.
struct Angle {
  double sine, cosine;
};

Angle angle_of(double degrees) {
  const double quarters = std::floor(degrees / 90 + 0.5);
  const double x = (degrees - 90 * quarters) * (3.14159265358979323846 / 180), square = x * x;
  double sine = 1, cosine = 1;
  for (int k = 18; k >= 2; k -= 2) {
    sine = 1 - square / (k * (k + 1)) * sine;
    cosine = 1 - square / (k * (k - 1)) * cosine;
  }
  sine *= x;
  switch (static_cast<int>(quarters) & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

// A coordinate brought into 0 .. size-1 as the mode says.
double inside(double at, int64_t size, Mode mode) {
  const double last = static_cast<double>(size - 1);
  if (mode == Mode::edge) return at < 0 ? 0 : at > last ? last : at;
  if (last == 0) return 0;
  if (at >= 0 && at <= last) return at;
  const double period = 2 * last;
  double folded = std::fabs(at);
  folded -= period * std::floor(folded / period);
  if (!(folded >= 0)) return 0;
  return folded > last ? std::fmax(0, period - folded) : folded;
}

class Affine : public Transformation {
 public:
  explicit Affine(const TransformationSpec& spec)
      : size_(spec.size),
        probability_(spec.probability()),
        mode_(spec.mode()),
        value_(spec.value()),
        degrees_(spec.range("degrees", -360, 360)),
        scale_(spec.range("scale", 0.01, 100)),
        stretch_(spec.range("stretch", 0.01, 100)),
        shear_(spec.range("shear", -100, 100)),
        shift_(spec.pair("shift", 1 << 24, false)) {}

  bool apply(float* image, float* other, Draws& draws) const override {
    if (!draws.happens(0, probability_)) return false;
    const Angle turn = angle_of(draws.between(1, degrees_.at));
    const double scale = draws.between(2, scale_.at), width = scale * draws.between(3, stretch_.at), shear = draws.between(4, shear_.at);
    const double down[] = {-shift_.at[0], shift_.at[0]}, right[] = {-shift_.at[1], shift_.at[1]};
    const double middle_y = static_cast<double>(size_.height - 1) / 2, middle_x = static_cast<double>(size_.width - 1) / 2;
    const double move_y = middle_y + draws.between(5, down), move_x = middle_x + draws.between(6, right);
    const double xx = (turn.cosine - shear * turn.sine) / width, xy = -(turn.sine + shear * turn.cosine) / width;
    const double yx = turn.sine / scale, yy = turn.cosine / scale;
    float* to = other;
    for (int64_t y = 0; y < size_.height; ++y) {
      const double v = static_cast<double>(y) - move_y;
      for (int64_t x = 0; x < size_.width; ++x, to += size_.channels) {
        const double u = static_cast<double>(x) - move_x;
        sample(image, middle_y + (yx * u + yy * v), middle_x + (xx * u + xy * v), to);
      }
    }
    return true;
  }

 private:
  void sample(const float* image, double y, double x, float* to) const {
    if (mode_ != Mode::constant) {
      y = inside(y, size_.height, mode_);
      x = inside(x, size_.width, mode_);
    } else if (!(y > -1 && x > -1 && y < static_cast<double>(size_.height) && x < static_cast<double>(size_.width))) {
      for (int64_t c = 0; c < size_.channels; ++c) to[c] = value_[static_cast<size_t>(c)];
      return;
    }
    // y, x > -1: the whole part is what a cast leaves, but for -1 .. 0
    const int64_t top = y < 0 ? -1 : static_cast<int64_t>(y), left = x < 0 ? -1 : static_cast<int64_t>(x);
    const float low = static_cast<float>(y - static_cast<double>(top)), far = static_cast<float>(x - static_cast<double>(left));
    const float* above_left = pixel(image, top, left);
    const float* above_right = pixel(image, top, left + 1);
    const float* below_left = pixel(image, top + 1, left);
    const float* below_right = pixel(image, top + 1, left + 1);
    for (int64_t c = 0; c < size_.channels; ++c) {
      const float above = above_left[c] * (1 - far) + above_right[c] * far;
      const float below = below_left[c] * (1 - far) + below_right[c] * far;
      to[c] = above * (1 - low) + below * low;
    }
  }

  // Outside, where a mode leads there with weight 0 or the value shows, any finite pixel does: the value.
  const float* pixel(const float* image, int64_t y, int64_t x) const {
    if (y < 0 || x < 0 || y >= size_.height || x >= size_.width) return value_.data();
    return image + y * size_.row() + x * size_.channels;
  }

  ImageSize size_;
  double probability_;
  Mode mode_;
  std::vector<float> value_;
  TransformationSpec::Range degrees_, scale_, stretch_, shear_, shift_;
};

}  // namespace

std::unique_ptr<Transformation> make_affine(const TransformationSpec& spec) {
  return spec.kind() == "affine" ? std::make_unique<Affine>(spec) : nullptr;
}

}  // namespace convlane
