// SPDX-License-Identifier: MIT
#include "step.h"

#include <cmath>

namespace convlane {

int64_t Operand::row_elements() const {
  int64_t product = 1;
  for (int32_t axis = 1; axis < rank; ++axis) product *= shape[axis];
  return product;
}

int64_t Operand::elements() const { return rank == 0 ? 1 : shape[0] * row_elements(); }

int64_t Operand::elements(int64_t n) const { return batched && rank > 0 ? n * row_elements() : elements(); }

namespace {

template <class T>
const T* find(const std::vector<std::pair<std::string, T>>& entries, const char* name) {
  for (const auto& entry : entries) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

[[noreturn]] void refuse(const StepSpec& spec, const std::string& message) { throw Error("INVALID_STEP", spec.op + ": " + message); }

// The attribute as one number, or null when it is absent.
const double* single(const StepSpec& spec, const char* name) {
  const std::vector<double>* values = find(spec.numbers, name);
  if (values == nullptr) {
    if (find(spec.strings, name) != nullptr) refuse(spec, std::string(name) + " must be a number");
    return nullptr;
  }
  if (values->size() != 1 || !std::isfinite((*values)[0])) refuse(spec, std::string(name) + " must be one finite number");
  return values->data();
}

}  // namespace

const Operand* StepSpec::optional(const char* name) const { return find(operands, name); }

const Operand& StepSpec::operand(const char* name) const {
  const Operand* found = optional(name);
  if (found == nullptr) refuse(*this, std::string("operand ") + name + " is missing");
  return *found;
}

bool StepSpec::flag(const char* name, bool fallback) const {
  const double* value = single(*this, name);
  if (value == nullptr) return fallback;
  if (*value != 0 && *value != 1) refuse(*this, std::string(name) + " must be true or false");
  return *value == 1;
}

double StepSpec::number(const char* name) const {
  const double* value = single(*this, name);
  if (value == nullptr) refuse(*this, std::string("attribute ") + name + " is missing");
  return *value;
}

double StepSpec::number(const char* name, double fallback) const {
  const double* value = single(*this, name);
  return value == nullptr ? fallback : *value;
}

std::vector<int64_t> StepSpec::integers(const char* name, size_t count, int64_t low, int64_t high) const {
  const std::vector<double>* values = find(numbers, name);
  if (values == nullptr || values->size() != count) {
    refuse(*this, std::string(name) + " must be " + std::to_string(count) + " integers" +
                      (values == nullptr ? "" : ", got " + std::to_string(values->size())));
  }
  std::vector<int64_t> result;
  for (double value : *values) {
    // Written so that NaN is refused too.
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(high)) || value != std::floor(value)) {
      refuse(*this, std::string(name) + " must be integers from " + std::to_string(low) + " to " + std::to_string(high) + ", got " + std::to_string(value));
    }
    result.push_back(static_cast<int64_t>(value));
  }
  return result;
}

size_t StepSpec::count(const char* name) const {
  const std::vector<double>* values = find(numbers, name);
  return values == nullptr ? 0 : values->size();
}

std::string StepSpec::string(const char* name, const char* fallback) const {
  const std::string* value = find(strings, name);
  if (value == nullptr) {
    if (find(numbers, name) != nullptr) refuse(*this, std::string(name) + " must be a string");
    return fallback;
  }
  return *value;
}

double RunContext::scalar(const char* name) const {
  if (scalars != nullptr) {
    for (const auto& entry : *scalars) {
      if (entry.first == name) return entry.second;
    }
  }
  return 0;
}

}  // namespace convlane
