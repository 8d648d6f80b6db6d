// SPDX-License-Identifier: MIT
// Images changed at random, each in its own way: what is drawn follows from seed, step, sample and the transformation's number alone.
#include <cmath>
#include <cstring>
#include <numeric>

#include "checks.h"
#include "memory.h"
#include "ops.h"
#include "parallel.h"
#include "transformation.h"

namespace convlane {

namespace {

constexpr int64_t kMostTransformations = 256;
constexpr double kMostStreams = 1 << 24;  // so that 64 counters for each fit beside dropout's
constexpr uint32_t kOrderWord = 32;       // first word of what a group's order is drawn from

template <class T>
const T* find(const std::vector<std::pair<std::string, T>>& entries, const std::string& name) {
  for (const auto& entry : entries) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

}  // namespace

std::string TransformationSpec::kind() const { return step_.string(name("kind").c_str(), ""); }
bool TransformationSpec::has(const char* attribute) const { return find(step_.numbers, name(attribute)) != nullptr; }
bool TransformationSpec::flag(const char* attribute) const { return step_.flag(name(attribute).c_str(), false); }
double TransformationSpec::probability() const { return number_between(step_, name("probability").c_str(), 0, 1); }
void TransformationSpec::refuse(const std::string& message) const { convlane::refuse(step_, message); }

const std::vector<double>& TransformationSpec::numbers(const char* attribute, size_t count) const {
  const std::vector<double>* values = find(step_.numbers, name(attribute));
  if (values == nullptr || values->size() != count) refuse(name(attribute) + " must be " + std::to_string(count) + " numbers");
  for (double value : *values) {
    if (!std::isfinite(value)) refuse(name(attribute) + " must be finite");
  }
  return *values;
}

TransformationSpec::Range TransformationSpec::range(const char* attribute, double lowest, double highest) const {
  const std::vector<double>& values = numbers(attribute, 2);
  if (values[0] < lowest || values[1] > highest || values[0] > values[1]) refuse(name(attribute) + " is out of range");
  return {{values[0], values[1]}};
}

TransformationSpec::Range TransformationSpec::whole_range(const char* attribute, double lowest, double highest) const {
  const Range found = range(attribute, lowest, highest);
  if (found.at[0] != std::floor(found.at[0]) || found.at[1] != std::floor(found.at[1])) refuse(name(attribute) + " must be whole numbers");
  return found;
}

TransformationSpec::Range TransformationSpec::pair(const char* attribute, double highest, bool whole) const {
  const std::vector<double>& values = numbers(attribute, 2);
  for (double value : values) {
    if (value < 0 || value > highest || (whole && value != std::floor(value))) refuse(name(attribute) + " is out of range");
  }
  return {{values[0], values[1]}};
}

std::vector<float> TransformationSpec::value() const {
  const std::vector<double>* given = find(step_.numbers, name("value"));
  const std::vector<double>& values = numbers("value", given != nullptr && given->size() == 1 ? 1 : static_cast<size_t>(size.channels));
  std::vector<float> result;
  for (int64_t c = 0; c < size.channels; ++c) result.push_back(static_cast<float>(values[values.size() == 1 ? 0 : static_cast<size_t>(c)]));
  return result;
}

TransformationSpec::Mode TransformationSpec::mode() const {
  const std::string mode = step_.string(name("mode").c_str(), "");
  if (mode == "constant") return Mode::constant;
  if (mode == "edge") return Mode::edge;
  if (mode == "reflect") return Mode::reflect;
  refuse(name("mode") + " must be constant, edge or reflect");
}

namespace {

class Augment : public Step {
 public:
  explicit Augment(const StepSpec& spec) : x_(spec.operand("x")), y_(tensor(spec, "y", 4)) {
    if (x_.dtype != Dtype::uint8) tensor(spec, "x");
    same_shape(spec, "x", x_, "y", y_);
    size_ = {x_.shape[1], x_.shape[2], x_.shape[3]};
    const int64_t count = spec.integers("count", 1, 0, kMostTransformations)[0];
    stream_ = static_cast<uint32_t>(number_between(spec, "stream", 0, kMostStreams - kMostTransformations));
    for (int64_t i = 0; i < count; ++i) {
      const TransformationSpec one(spec, i, size_);
      std::unique_ptr<Transformation> made = make_placement(one);
      if (!made) made = make_affine(one);
      if (!made) made = make_colour(one);
      if (!made) refuse(spec, one.name("kind") + " is no transformation");
      transformations_.push_back(std::move(made));
      groups_.push_back(spec.number(one.name("group").c_str(), 0));
    }
  }

  std::vector<std::string> scalars() const override { return {"seed", "step"}; }

  void run(const RunContext& context) const override {
    const uint64_t seed = scalar_counter(context.scalar("seed")), step = scalar_counter(context.scalar("step"));
    const int64_t samples = rows_of(x_, context.n), elements = size_.elements();
    const int64_t together = std::max<int64_t>(1, kElementGrain / elements);
    parallel_with_scratch(divide_up(samples, together), elements, [&](int64_t chunk, float* other) {
      for (int64_t i = chunk * together; i < std::min(samples, (chunk + 1) * together); ++i) {
        float* image = context.at(y_) + i * elements;
        load(context, i, image);
        change(image, other, seed, step, static_cast<uint32_t>(i));
      }
    });
  }

 private:
  void load(const RunContext& context, int64_t i, float* image) const {
    const int64_t elements = size_.elements();
    if (x_.dtype != Dtype::uint8) {
      std::memcpy(image, context.at(x_) + i * elements, static_cast<size_t>(elements) * sizeof(float));
      return;
    }
    const uint8_t* bytes = context.at<uint8_t>(x_) + i * elements;
    for (int64_t j = 0; j < elements; ++j) image[j] = bytes[j];
  }

  void change(float* image, float* other, uint64_t seed, uint64_t step, uint32_t sample) const {
    float* const first = image;
    size_t order[kMostTransformations];
    std::iota(order, order + transformations_.size(), size_t{0});
    for (size_t begin = 0; begin < transformations_.size();) {
      size_t end = begin + 1;
      while (groups_[begin] != 0 && end < transformations_.size() && groups_[end] == groups_[begin]) ++end;
      Draws draws(seed, step, stream_ + static_cast<uint32_t>(begin), sample);
      for (size_t k = begin; k + 1 < end; ++k) {
        const auto at = k + static_cast<size_t>(draws.below(kOrderWord + static_cast<uint32_t>(k - begin), static_cast<int64_t>(end - k)));
        std::swap(order[k], order[at]);
      }
      begin = end;
    }
    for (size_t k = 0; k < transformations_.size(); ++k) {
      Draws draws(seed, step, stream_ + static_cast<uint32_t>(order[k]), sample);
      if (transformations_[order[k]]->apply(image, other, draws)) std::swap(image, other);
    }
    if (image != first) std::memcpy(first, image, static_cast<size_t>(size_.elements()) * sizeof(float));
  }

  Operand x_, y_;
  ImageSize size_{};
  uint32_t stream_ = 0;
  std::vector<std::unique_ptr<Transformation>> transformations_;
  std::vector<double> groups_;  // neighbours of one number, not 0, act in an order that is drawn
};

}  // namespace

StepPointer make_augment(const StepSpec& spec) { return std::make_unique<Augment>(spec); }

}  // namespace convlane
