// SPDX-License-Identifier: MIT
// What the op `augment` does to one image (docs/steps.md): each transformation is a class, made from the step's attributes of one number.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../program/step.h"
#include "philox.h"

namespace convlane {

struct ImageSize {
  int64_t height, width, channels;
  int64_t row() const { return width * channels; }
  int64_t elements() const { return height * row(); }
};

class Transformation {
 public:
  virtual ~Transformation() = default;
  // Changes `image` where it lies (false), or leaves it and writes the result to `other` (true).
  virtual bool apply(float* image, float* other, Draws& draws) const = 0;
};

// The attributes of one transformation: `kind3`, `probability3`, … of number 3.
class TransformationSpec {
 public:
  TransformationSpec(const StepSpec& step, int64_t number, const ImageSize& size) : size(size), step_(step), suffix_(std::to_string(number)) {}
  std::string kind() const;
  std::string name(const char* attribute) const { return attribute + suffix_; }
  bool has(const char* attribute) const;
  bool flag(const char* attribute) const;
  double probability() const;
  // Two finite numbers low <= high within these limits, or, where absent is allowed, none.
  struct Range {
    double at[2];
  };
  Range range(const char* attribute, double lowest, double highest) const;
  Range whole_range(const char* attribute, double lowest, double highest) const;
  // Two whole or real numbers of at least 0: along the height, along the width.
  Range pair(const char* attribute, double highest, bool whole) const;
  std::vector<float> value() const;  // one for each channel
  enum class Mode { constant, edge, reflect };
  Mode mode() const;
  [[noreturn]] void refuse(const std::string& message) const;

  const ImageSize size;

 private:
  const std::vector<double>& numbers(const char* attribute, size_t count) const;

  const StepSpec& step_;
  std::string suffix_;
};

// Each gives null for kinds of the others.
std::unique_ptr<Transformation> make_placement(const TransformationSpec& spec);  // shift, flip, cutout
std::unique_ptr<Transformation> make_affine(const TransformationSpec& spec);
std::unique_ptr<Transformation> make_colour(const TransformationSpec& spec);     // brightness, contrast, saturation

}  // namespace convlane
