// SPDX-License-Identifier: MIT
#include "read.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "../core/error.h"
#include "../program/verify.h"
#include "guard.h"

namespace convlane {
namespace {

constexpr const char* kStep = "INVALID_STEP";
constexpr uint32_t kMostSteps = 1 << 20, kMostInputs = 4096, kMostNumbers = 1 << 24;

std::string describe(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_number: {
      const double number = value.As<Napi::Number>().DoubleValue();
      if (std::isnan(number)) return "NaN";
      if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
      char text[32];
      std::snprintf(text, sizeof text, "%.17g", number);
      return text;
    }
    case napi_string: return "a string";
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: return value.IsArray() ? "an array" : "an object";
  }
}

[[noreturn]] void refuse(const char* code, const std::string& what, const std::string& expected, Napi::Value received) {
  throw Error(code, what + " must be " + expected + ", received " + describe(received));
}

bool read_boolean(Napi::Value value, const std::string& what, const char* code) {
  if (!value.IsBoolean()) refuse(code, what, "a boolean", value);
  return value.As<Napi::Boolean>().Value();
}

Dtype read_dtype(Napi::Value value, const std::string& what) {
  const std::string name = read_string(value, what, kStep);
  for (Dtype dtype : {Dtype::float32, Dtype::int32, Dtype::uint8}) {
    if (name == dtype_name(dtype)) return dtype;
  }
  throw Error(kStep, what + " must be 'float32', 'int32' or 'uint8'");
}

void read_shape(Napi::Value value, Operand& operand, const std::string& what) {
  const Napi::Array shape = read_array(value, what, kMaxRank, kStep);
  operand.rank = static_cast<int32_t>(std::min<uint32_t>(shape.Length(), kMaxRank));
  for (int32_t i = 0; i < operand.rank; i++) operand.shape[i] = read_integer(shape.Get(i), what + "[" + std::to_string(i) + "]", 1, kMaxElements, kStep);
}

Operand read_operand(const Napi::Object& object, Napi::Value space_value, const std::string& what) {
  Operand operand;
  const std::string space = read_string(space_value, what + ".space", kStep);
  if (space == "arena") {
    operand.space = Space::arena;
  } else if (space == "state") {
    operand.space = Space::state;
  } else if (space == "kept") {
    operand.space = Space::kept;
  } else if (space == "input") {
    operand.space = Space::input;
  } else if (space == "buffer") {
    operand.space = Space::buffer;
  } else {
    throw Error(kStep, what + ".space must be 'arena', 'state', 'kept', 'input' or 'buffer'");
  }
  operand.offset = read_integer(object.Get("offset"), what + ".offset", 0, kMaxElements, kStep);
  operand.dtype = read_dtype(object.Get("dtype"), what + ".dtype");
  read_shape(object.Get("shape"), operand, what + ".shape");
  operand.batched = read_boolean(object.Get("batched"), what + ".batched", kStep);
  return operand;
}

Operand read_operand(Napi::Value value, const std::string& what) {
  const Napi::Object object = read_object(value, what, kStep);
  return read_operand(object, object.Get("space"), what);
}

// Nested one level at most.
void read_numbers(const Napi::Array& array, std::vector<double>& numbers, int depth, const std::string& what) {
  const uint32_t length = array.Length();
  for (uint32_t i = 0; i < length; i++) {
    const Napi::Value item = array.Get(i);
    if (depth == 0 && item.IsArray()) {
      read_numbers(read_array(item, what, kMostNumbers, kStep), numbers, depth + 1, what);
    } else {
      numbers.push_back(read_finite(item, what, kStep));
    }
    if (numbers.size() > kMostNumbers) throw Error(kStep, what + " has too many numbers");
  }
}

void read_property(StepSpec& step, const std::string& name, Napi::Value value, const std::string& what) {
  if (value.IsUndefined()) return;
  if (value.IsString()) {
    step.strings.emplace_back(name, value.As<Napi::String>().Utf8Value());
  } else if (value.IsNumber()) {
    step.numbers.emplace_back(name, std::vector<double>{read_finite(value, what, kStep)});
  } else if (value.IsBoolean()) {
    step.numbers.emplace_back(name, std::vector<double>{value.As<Napi::Boolean>().Value() ? 1.0 : 0.0});
  } else if (value.IsArray()) {
    std::vector<double> numbers;
    read_numbers(read_array(value, what, kMostNumbers, kStep), numbers, 0, what);
    step.numbers.emplace_back(name, std::move(numbers));
  } else {
    step.operands.emplace_back(name, read_operand(value, what));
  }
}

}  // namespace

const char* dtype_name(Dtype dtype) { return dtype == Dtype::float32 ? "float32" : dtype == Dtype::int32 ? "int32" : "uint8"; }
size_t dtype_bytes(Dtype dtype) { return dtype == Dtype::uint8 ? 1 : 4; }

std::string read_string(Napi::Value value, const std::string& what, const char* code) {
  if (!value.IsString()) refuse(code, what, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

int64_t read_integer(Napi::Value value, const std::string& what, int64_t low, int64_t high, const char* code) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) || number != std::floor(number)) {
    refuse(code, what, "an integer from " + std::to_string(low) + " to " + std::to_string(high), value);
  }
  return static_cast<int64_t>(number);
}

double read_finite(Napi::Value value, const std::string& what, const char* code) {
  if (!value.IsNumber() || !std::isfinite(value.As<Napi::Number>().DoubleValue())) refuse(code, what, "a finite number", value);
  return value.As<Napi::Number>().DoubleValue();
}

Napi::Object read_object(Napi::Value value, const std::string& what, const char* code) {
  if (!value.IsObject() || value.IsFunction() || value.IsArray()) refuse(code, what, "an object", value);
  return value.As<Napi::Object>();
}

Napi::Array read_array(Napi::Value value, const std::string& what, uint32_t longest, const char* code) {
  if (!value.IsArray()) refuse(code, what, "an array", value);
  const Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > longest) throw Error(code, what + " has " + std::to_string(array.Length()) + " items, at most " + std::to_string(longest));
  return array;
}

StepSpec read_step(Napi::Value value, const std::string& what) {
  const Napi::Object object = read_object(value, what, kStep);
  StepSpec step;
  step.op = read_string(object.Get("op"), what + ": op", kStep);
  const std::string where = what + " (" + step.op + ")";
  napi_value names_value;
  const auto filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  check(value.Env(), napi_get_all_property_names(value.Env(), object, napi_key_own_only, filter, napi_key_numbers_to_strings, &names_value));
  const Napi::Array names(value.Env(), names_value);
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    if (name != "op") read_property(step, name, object.Get(name), where + ": " + name);
  }
  return step;
}

ProgramSpec read_program(Napi::Value value) {
  const Napi::Object object = read_object(value, "spec", kStep);
  ProgramSpec spec;
  spec.capacity = read_integer(object.Get("capacity"), "capacity", 1, kMaxElements, kStep);
  spec.arena_elements = read_integer(object.Get("arenaElements"), "arenaElements", 0, kMaxElements, kStep);
  const std::string lane = read_string(object.Get("lane"), "lane", kStep);
  if (lane != "train" && lane != "infer") throw Error(kStep, "lane must be 'train' or 'infer'");
  spec.lane = lane == "train" ? LaneKind::train : LaneKind::infer;

  const Napi::Array inputs = read_array(object.Get("inputs"), "inputs", kMostInputs, kStep);
  for (uint32_t i = 0; i < inputs.Length() && i < kMostInputs; i++) {
    const std::string what = "input " + std::to_string(i);
    const Napi::Object input = read_object(inputs.Get(i), what, kStep);
    Operand operand;
    operand.space = Space::input;
    operand.offset = i;
    operand.dtype = read_dtype(input.Get("dtype"), what + ".dtype");
    read_shape(input.Get("shape"), operand, what + ".shape");
    operand.batched = read_boolean(input.Get("batched"), what + ".batched", kStep);
    spec.inputs.push_back(operand);
    const Napi::Value prepared = input.Get("prepared");
    if (prepared.IsUndefined() || !read_boolean(prepared, what + ".prepared", kStep)) {
      if (spec.given < static_cast<int64_t>(i)) throw Error(kStep, what + " is given to run, and comes after one that is prepared");
      spec.given++;
    }
  }
  const Napi::Array outputs = read_array(object.Get("outputs"), "outputs", kMostInputs, kStep);
  for (uint32_t i = 0; i < outputs.Length() && i < kMostInputs; i++) {
    spec.outputs.push_back(read_operand(outputs.Get(i), "output " + std::to_string(i)));
  }
  const Napi::Array steps = read_array(object.Get("steps"), "steps", kMostSteps, kStep);
  for (uint32_t i = 0; i < steps.Length() && i < kMostSteps; i++) {
    const Napi::HandleScope scope(value.Env());
    spec.steps.push_back(read_step(steps.Get(i), "step " + std::to_string(i)));
  }
  const Napi::Value preparation = object.Get("preparation");
  if (!preparation.IsUndefined()) {
    const Napi::Array before = read_array(preparation, "preparation", kMostSteps, kStep);
    for (uint32_t i = 0; i < before.Length() && i < kMostSteps; i++) {
      const Napi::HandleScope scope(value.Env());
      spec.preparation.push_back(read_step(before.Get(i), "preparation " + std::to_string(i)));
    }
  }
  const auto count = static_cast<int64_t>(spec.steps.size());
  const Napi::Value update_from = object.Get("updateFrom");
  spec.update_from = update_from.IsUndefined() ? count : read_integer(update_from, "updateFrom", 0, count, kStep);
  const Napi::Value prelude = object.Get("prelude");
  if (!prelude.IsUndefined()) {
    const Napi::Object given = read_object(prelude, "prelude", kStep);
    spec.prelude_steps = read_integer(given.Get("steps"), "prelude.steps", 0, spec.update_from, kStep);
    spec.kept_elements = read_integer(given.Get("elements"), "prelude.elements", 0, kMaxElements, kStep);
  }
  const Napi::Value guards = object.Get("guards");
  if (!guards.IsUndefined()) {
    const Napi::Array numbers = read_array(guards, "guards", kMostInputs, kStep);
    const int64_t most = static_cast<int64_t>(spec.outputs.size()) - 1;
    for (uint32_t i = 0; i < numbers.Length() && i < kMostInputs; i++) {
      spec.guards.push_back(read_integer(numbers.Get(i), "guards[" + std::to_string(i) + "]", 0, most, kStep));
    }
  }
  return spec;
}

void read_scalars(Napi::Value value, const std::vector<std::string>& needed, std::vector<std::pair<std::string, double>>& scalars) {
  scalars.clear();
  if (needed.empty()) return;
  const Napi::Object object = read_object(value, "scalars");
  for (const std::string& name : needed) scalars.emplace_back(name, read_finite(object.Get(name), "scalars." + name));
}

Napi::TypedArray check_typed_array(Napi::Value value, const std::string& what) {
  if (!value.IsTypedArray()) refuse("INVALID_TENSOR", what, "a typed array", value);
  const Napi::Env env = value.Env();
  napi_value buffer;
  bool plain = false;
  check(env, napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr));
  check(env, napi_is_arraybuffer(env, buffer, &plain));
  if (!plain) throw Error("INVALID_TENSOR", what + " lies in a SharedArrayBuffer, whose contents may change at any time");
  // A resizable buffer is refused because its length may change; memory safety does not hang on this read, which user code may answer.
  const Napi::Value resizable = Napi::Object(env, buffer).Get("resizable");
  if (resizable.IsBoolean() && resizable.As<Napi::Boolean>().Value()) throw Error("INVALID_TENSOR", what + " lies in a resizable ArrayBuffer");
  return value.As<Napi::TypedArray>();
}

TypedMemory typed_memory(const Napi::TypedArray& array, Dtype dtype, const std::string& what) {
  const napi_env env = array.Env();
  auto type = static_cast<napi_typedarray_type>(-1);  // left alone when the type is newer than the engine's list
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer;
  bool detached = true;
  if (napi_get_typedarray_info(env, array, &type, &length, &data, &buffer, nullptr) != napi_ok ||
      napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) {
    throw Error("INVALID_TENSOR", what + " is detached: its memory was transferred elsewhere");
  }
  const napi_typedarray_type wanted = dtype == Dtype::float32 ? napi_float32_array : dtype == Dtype::int32 ? napi_int32_array : napi_uint8_array;
  if (type != wanted) throw Error("INVALID_TENSOR", what + " must be of type " + dtype_name(dtype));
  return {data, static_cast<int64_t>(length)};
}

}  // namespace convlane
