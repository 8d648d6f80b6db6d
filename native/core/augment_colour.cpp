// SPDX-License-Identifier: MIT
// Transformations of colours, pixel by pixel: brightness, contrast, saturation.
#include "transformation.h"

namespace convlane {

namespace {

// Luma of ITU-R BT.601.
float grey_of(const float* pixel) { return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2]; }

class Colour : public Transformation {
 public:
  enum Kind { brightness, contrast, saturation };

  Colour(const TransformationSpec& spec, Kind kind)
      : size_(spec.size), kind_(kind), probability_(spec.probability()), factor_(spec.range("factor", 0, 1e6)), limited_(spec.has("range")) {
    if (limited_) {
      const auto range = spec.range("range", -3e38, 3e38);
      low_ = static_cast<float>(range.at[0]);
      high_ = static_cast<float>(range.at[1]);
    }
    is_rgb_ = size_.channels == 3 || size_.channels == 4;
    if (kind == saturation && !is_rgb_) spec.refuse(spec.name("kind") + ": saturation needs 3 or 4 channels");
    colours_ = size_.channels == 4 ? 3 : size_.channels;
  }

  bool apply(float* image, float*, Draws& draws) const override {
    if (!draws.happens(0, probability_)) return false;
    const double drawn = draws.between(1, factor_.at);
    const auto factor = static_cast<float>(drawn), rest = static_cast<float>(1 - drawn);
    const int64_t pixels = size_.height * size_.width;
    const float middle = kind_ == contrast ? rest * mean(image, pixels) : 0;
    for (int64_t i = 0; i < pixels; ++i, image += size_.channels) {
      const float offset = kind_ == saturation ? rest * grey_of(image) : middle;
      for (int64_t c = 0; c < colours_; ++c) image[c] = limited(factor * image[c] + offset);
    }
    return false;
  }

 private:
  // Of the grey image; of all channels where these are no colours.
  float mean(const float* image, int64_t pixels) const {
    double sum = 0;
    for (int64_t i = 0; i < pixels; ++i, image += size_.channels) {
      if (is_rgb_) {
        sum += static_cast<double>(grey_of(image));
      } else {
        for (int64_t c = 0; c < colours_; ++c) sum += static_cast<double>(image[c]);
      }
    }
    return static_cast<float>(sum / static_cast<double>(is_rgb_ ? pixels : pixels * colours_));
  }

  float limited(float value) const {
    if (!limited_) return value;
    return value < low_ ? low_ : value > high_ ? high_ : value;  // NaN passes through
  }

  ImageSize size_;
  Kind kind_;
  double probability_;
  TransformationSpec::Range factor_;
  bool limited_, is_rgb_;
  float low_ = 0, high_ = 0;
  int64_t colours_;
};

}  // namespace

std::unique_ptr<Transformation> make_colour(const TransformationSpec& spec) {
  const std::string kind = spec.kind();
  if (kind == "brightness") return std::make_unique<Colour>(spec, Colour::brightness);
  if (kind == "contrast") return std::make_unique<Colour>(spec, Colour::contrast);
  if (kind == "saturation") return std::make_unique<Colour>(spec, Colour::saturation);
  return nullptr;
}

}  // namespace convlane
