// SPDX-License-Identifier: MIT
// Transformations that move whole pixels, or paint over them: shift, flip, cutout.
#include <algorithm>
#include <cstring>

#include "transformation.h"

namespace convlane {

namespace {

using Mode = TransformationSpec::Mode;

void paint(float* to, const std::vector<float>& value, int64_t pixels) {
  for (int64_t i = 0; i < pixels; ++i) to = std::copy(value.begin(), value.end(), to);
}

// Where along an axis of `size` the pixel comes from that lies `at`, at most one size outside; -1: from nowhere.
int64_t source(int64_t at, int64_t size, Mode mode) {
  if (at >= 0 && at < size) return at;
  if (mode == Mode::constant) return -1;
  if (mode == Mode::edge) return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

class Shift : public Transformation {
 public:
  explicit Shift(const TransformationSpec& spec)
      : size_(spec.size), probability_(spec.probability()), mode_(spec.mode()), value_(spec.value()) {
    const auto most = spec.pair("most", 1 << 24, true);
    const int64_t sizes[] = {size_.height, size_.width};
    for (int axis = 0; axis < 2; ++axis) {
      most_[axis] = static_cast<int64_t>(most.at[axis]);
      if (mode_ == Mode::reflect && most_[axis] >= sizes[axis]) spec.refuse(spec.name("most") + " must be less than the image's size to reflect it");
    }
  }

  bool apply(float* image, float* other, Draws& draws) const override {
    if (!draws.happens(0, probability_)) return false;
    const int64_t down = draws.below(1, 2 * most_[0] + 1) - most_[0], right = draws.below(2, 2 * most_[1] + 1) - most_[1];
    const int64_t channels = size_.channels, row = size_.row();
    for (int64_t y = 0; y < size_.height; ++y) {
      float* to = other + y * row;
      const int64_t from_y = source(y - down, size_.height, mode_);
      if (from_y < 0) {
        paint(to, value_, size_.width);
        continue;
      }
      const float* from = image + from_y * row;
      const int64_t begin = std::clamp<int64_t>(right, 0, size_.width), end = std::clamp<int64_t>(size_.width + right, 0, size_.width);
      if (end > begin) std::memcpy(to + begin * channels, from + (begin - right) * channels, static_cast<size_t>((end - begin) * channels) * sizeof(float));
      const auto outside = [&](int64_t x) {
        const int64_t from_x = source(x - right, size_.width, mode_);
        if (from_x < 0) {
          std::copy(value_.begin(), value_.end(), to + x * channels);
        } else {
          std::copy_n(from + from_x * channels, channels, to + x * channels);
        }
      };
      for (int64_t x = 0; x < begin; ++x) outside(x);
      for (int64_t x = std::max(begin, end); x < size_.width; ++x) outside(x);
    }
    return true;
  }

 private:
  ImageSize size_;
  double probability_;
  Mode mode_;
  std::vector<float> value_;
  int64_t most_[2];
};

class Flip : public Transformation {
 public:
  explicit Flip(const TransformationSpec& spec)
      : size_(spec.size), probability_(spec.probability()), horizontal_(spec.flag("horizontal")), vertical_(spec.flag("vertical")) {}

  bool apply(float* image, float*, Draws& draws) const override {
    const int64_t channels = size_.channels, row = size_.row();
    if (horizontal_ && draws.happens(0, probability_)) {
      for (int64_t y = 0; y < size_.height; ++y) {
        for (int64_t x = 0; x < size_.width / 2; ++x) {
          float* left = image + y * row + x * channels;
          std::swap_ranges(left, left + channels, image + y * row + (size_.width - 1 - x) * channels);
        }
      }
    }
    if (vertical_ && draws.happens(1, probability_)) {
      for (int64_t y = 0; y < size_.height / 2; ++y) std::swap_ranges(image + y * row, image + (y + 1) * row, image + (size_.height - 1 - y) * row);
    }
    return false;
  }

 private:
  ImageSize size_;
  double probability_;
  bool horizontal_, vertical_;
};

class Cutout : public Transformation {
 public:
  explicit Cutout(const TransformationSpec& spec)
      : size_(spec.size), probability_(spec.probability()), value_(spec.value()), range_(spec.whole_range("size", 1, 1 << 24)) {}

  bool apply(float* image, float*, Draws& draws) const override {
    if (!draws.happens(0, probability_)) return false;
    const auto low = static_cast<int64_t>(range_.at[0]), sizes = static_cast<int64_t>(range_.at[1]) - low + 1;
    const int64_t height = low + draws.below(1, sizes), width = low + draws.below(2, sizes);
    const int64_t top = draws.below(3, size_.height) - height / 2, left = draws.below(4, size_.width) - width / 2;
    const int64_t begin = std::max<int64_t>(0, left), end = std::min(size_.width, left + width);
    for (int64_t y = std::max<int64_t>(0, top); y < std::min(size_.height, top + height); ++y) {
      paint(image + y * size_.row() + begin * size_.channels, value_, end - begin);
    }
    return false;
  }

 private:
  ImageSize size_;
  double probability_;
  std::vector<float> value_;
  TransformationSpec::Range range_;
};

}  // namespace

std::unique_ptr<Transformation> make_placement(const TransformationSpec& spec) {
  const std::string kind = spec.kind();
  if (kind == "shift") return std::make_unique<Shift>(spec);
  if (kind == "flip") return std::make_unique<Flip>(spec);
  if (kind == "cutout") return std::make_unique<Cutout>(spec);
  return nullptr;
}

}  // namespace convlane
