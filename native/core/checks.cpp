// SPDX-License-Identifier: MIT
#include "checks.h"

#include <limits>

namespace convlane {

namespace {

const char* dtype_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::float32: return "float32";
    case Dtype::int32: return "int32";
    default: return "uint8";
  }
}

void check_tensor(const StepSpec& spec, const char* name, const Operand& operand, int32_t rank, Dtype dtype) {
  if (operand.dtype != dtype) refuse(spec, std::string(name) + " must be " + dtype_name(dtype) + ", got " + dtype_name(operand.dtype));
  if (rank >= 0 && operand.rank != rank) {
    refuse(spec, std::string(name) + " must have rank " + std::to_string(rank) + ", got shape " + shape_text(operand));
  }
}

}  // namespace

void refuse(const StepSpec& spec, const std::string& message) { throw Error("INVALID_STEP", spec.op + ": " + message); }

std::string shape_text(const Operand& operand) {
  std::string text = "[";
  for (int32_t axis = 0; axis < operand.rank; ++axis) text += (axis == 0 ? "" : ",") + std::to_string(operand.shape[axis]);
  return text + "]";
}

const Operand& tensor(const StepSpec& spec, const char* name, int32_t rank, Dtype dtype) {
  const Operand& operand = spec.operand(name);
  check_tensor(spec, name, operand, rank, dtype);
  return operand;
}

const Operand* optional_tensor(const StepSpec& spec, const char* name, int32_t rank, Dtype dtype) {
  const Operand* operand = spec.optional(name);
  if (operand != nullptr) check_tensor(spec, name, *operand, rank, dtype);
  return operand;
}

void same_shape(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b) {
  bool same = a.rank == b.rank;
  for (int32_t axis = 0; same && axis < a.rank; ++axis) same = a.shape[axis] == b.shape[axis];
  if (!same) refuse(spec, std::string(a_name) + " has shape " + shape_text(a) + ", " + b_name + " has " + shape_text(b));
  if (a.batched != b.batched) refuse(spec, std::string(a_name) + " and " + b_name + " must both be batched or both not");
}

void same_batch(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b) {
  if (a.rank < 1 || b.rank < 1 || a.shape[0] != b.shape[0]) {
    refuse(spec, std::string(a_name) + " has shape " + shape_text(a) + ", " + b_name + " has " + shape_text(b) + ": the first sizes differ");
  }
  if (a.batched != b.batched) refuse(spec, std::string(a_name) + " and " + b_name + " must both be batched or both not");
}

void not_batched(const StepSpec& spec, const char* name, const Operand& operand) {
  if (operand.batched) refuse(spec, std::string(name) + " must not be batched");
}

void expect_size(const StepSpec& spec, const char* operand, const char* what, int64_t found, const char* source, int64_t expected) {
  if (found == expected) return;
  refuse(spec, std::string(operand) + " has " + what + " " + std::to_string(found) + ", " + source + " gives " + std::to_string(expected));
}

const Operand& single_value(const StepSpec& spec, const char* name) {
  const Operand& operand = tensor(spec, name);
  not_batched(spec, name, operand);
  if (operand.elements() != 1) refuse(spec, std::string(name) + " must hold one value, got shape " + shape_text(operand));
  return operand;
}

namespace {

struct Named {
  const char* name;
  Activation::Kind kind;
  const char* parameters[3];
  double fallbacks[3];  // NaN: the step has to say
};
constexpr double kSaid = std::numeric_limits<double>::quiet_NaN(), kInfinite = std::numeric_limits<double>::infinity();
constexpr Named activations[] = {
    {"linear", Activation::linear, {}, {}},
    {"relu", Activation::relu, {}, {}},
    {"sigmoid", Activation::sigmoid, {}, {}},
    {"tanh", Activation::tanh, {}, {}},
    {"leakyRelu", Activation::leaky_relu, {"slope"}, {kSaid}},
    {"elu", Activation::elu, {"alpha"}, {kSaid}},
    {"selu", Activation::selu, {}, {}},
    {"softplus", Activation::softplus, {}, {}},
    {"softsign", Activation::softsign, {}, {}},
    {"hardSigmoid", Activation::hard_sigmoid, {}, {}},
    {"silu", Activation::silu, {}, {}},
    {"mish", Activation::mish, {}, {}},
    {"gelu", Activation::gelu, {}, {}},
    {"geluTanh", Activation::gelu_tanh, {}, {}},
    {"hardSwish", Activation::hard_swish, {}, {}},
    {"linearThreshold", Activation::linear_threshold, {"max", "slope", "threshold"}, {kInfinite, kSaid, kSaid}},
};

}  // namespace

Activation activation_named(const StepSpec& spec, const std::string& name) {
  for (const Named& entry : activations) {
    if (name != entry.name) continue;
    Activation activation = entry.kind;
    for (int i = 0; i < 3 && entry.parameters[i] != nullptr; ++i) {
      const bool said = entry.fallbacks[i] != entry.fallbacks[i];
      activation.parameters[i] = static_cast<float>(said ? spec.number(entry.parameters[i]) : spec.number(entry.parameters[i], entry.fallbacks[i]));
    }
    return activation;
  }
  refuse(spec, "activation must be linear, relu, sigmoid, tanh or another of docs/steps.md, got " + name);
}

Activation activation_of(const StepSpec& spec) { return activation_named(spec, spec.string("activation", "linear")); }

double number_between(const StepSpec& spec, const char* name, double low, double high) {
  const double value = spec.number(name);
  if (!(value >= low && value <= high)) {
    refuse(spec, std::string(name) + " must be from " + std::to_string(low) + " to " + std::to_string(high) + ", got " + std::to_string(value));
  }
  return value;
}

int64_t last_size(const Operand& operand) { return operand.rank == 0 ? 1 : operand.shape[operand.rank - 1]; }

}  // namespace convlane
