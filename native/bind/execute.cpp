// SPDX-License-Identifier: MIT
// Single steps, run at once.
#include "execute.h"

#include <algorithm>
#include <chrono>

#include "../core/memory.h"
#include "../core/threads.h"
#include "../program/verify.h"
#include "read.h"

namespace convlane {
namespace {

constexpr uint32_t kMostBuffers = 4096;

std::string where(const StepSpec& spec) { return "step (" + spec.op + ")"; }

// The batch size of an eager step is that of its operands.
Limits eager_limits(const StepSpec& spec, int64_t buffers) {
  Limits limits;
  limits.buffers = buffers;
  for (const auto& [name, operand] : spec.operands) {
    if (operand.batched && operand.rank > 0) limits.capacity = operand.shape[0];
  }
  return limits;
}

const Operand* operand_of(const StepSpec& spec, int64_t buffer) {
  for (const auto& [name, operand] : spec.operands) {
    if (operand.space == Space::buffer && operand.offset == buffer) return &operand;
  }
  return nullptr;
}

bool overlap(const TypedMemory& a, const Operand& a_operand, const TypedMemory& b, const Operand& b_operand) {
  const auto a_start = reinterpret_cast<uintptr_t>(a.data), b_start = reinterpret_cast<uintptr_t>(b.data);
  return a_start < b_start + static_cast<size_t>(b.length) * dtype_bytes(b_operand.dtype) &&
         b_start < a_start + static_cast<size_t>(a.length) * dtype_bytes(a_operand.dtype);
}

// Different buffers may be views of the same memory.
void check_views(const StepSpec& spec, const std::vector<TypedMemory>& memory) {
  const OpEntry* op = find_op(spec.op);
  const auto among = [](const std::vector<const char*>& names, const std::string& name) {
    return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
  };
  for (const auto& [name, operand] : spec.operands) {
    const bool output = among(op->outputs, name);
    if (!output && !among(op->updates, name)) continue;
    for (const auto& [other_name, other] : spec.operands) {
      if (other.offset == operand.offset || !overlap(memory[operand.offset], operand, memory[other.offset], other)) continue;
      const bool exact = memory[operand.offset].data == memory[other.offset].data && operand.elements() == other.elements();
      if (!(output && op->in_place && exact && !among(op->outputs, other_name) && !among(op->updates, other_name))) {
        throw Error("INVALID_TENSOR", name + " is written and shares memory with " + other_name);
      }
    }
  }
}

}  // namespace

Napi::Value execute(const Napi::CallbackInfo& info) {
  const StepSpec spec = read_step(info[0], "step");
  const Napi::Array array = read_array(info[1], "buffers", kMostBuffers);
  std::vector<Napi::TypedArray> arrays;
  for (uint32_t i = 0; i < array.Length() && i < kMostBuffers; i++) {
    arrays.push_back(check_typed_array(array.Get(i), "buffers[" + std::to_string(i) + "]"));
  }
  const Limits limits = eager_limits(spec, static_cast<int64_t>(arrays.size()));
  const std::unique_ptr<Step> step = make_step(spec, limits, Phase::update, where(spec));
  std::vector<std::pair<std::string, double>> scalars;
  read_scalars(info[2], step->scalars(), scalars);

  // User code has run for the last time.
  std::vector<TypedMemory> memory(arrays.size());
  std::vector<void*> buffers(arrays.size());
  for (size_t i = 0; i < arrays.size(); i++) {
    const std::string what = "buffers[" + std::to_string(i) + "]";
    const Operand* operand = operand_of(spec, static_cast<int64_t>(i));
    if (operand == nullptr) throw Error("INVALID_ARGUMENT", what + " belongs to no operand");
    memory[i] = typed_memory(arrays[i], operand->dtype, what);
    buffers[i] = memory[i].data;
  }
  for (const auto& [name, operand] : spec.operands) {
    const std::string what = where(spec) + ": " + name;
    const int64_t length = typed_memory(arrays[operand.offset], operand.dtype, what).length;
    if (length != operand.elements()) {
      throw Error("INVALID_TENSOR", what + " has " + std::to_string(length) + " elements, expected " + std::to_string(operand.elements()));
    }
  }
  check_views(spec, memory);

  const StepScratch scratch(static_cast<size_t>(step->scratch_floats(limits.capacity)));
  RunContext context;
  context.buffers = buffers.data();
  context.n = limits.capacity;
  context.scratch = scratch.floats();
  context.scalars = &scalars;
  const FlushDenormals flush;
  const auto start = std::chrono::steady_clock::now();
  step->run(context);
  return Napi::Number::New(info.Env(), std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

Napi::Value algorithms(const Napi::CallbackInfo& info) {
  const StepSpec spec = read_step(info[0], "step");
  int64_t buffers = 0;
  for (const auto& [name, operand] : spec.operands) buffers = std::max(buffers, operand.offset + 1);
  const std::unique_ptr<Step> step = make_step(spec, eager_limits(spec, buffers), Phase::update, where(spec));
  const OpEntry* op = find_op(spec.op);
  const std::vector<std::string> names = op->algorithms ? op->algorithms(spec) : std::vector<std::string>{step->algorithm()};
  const Napi::Array list = Napi::Array::New(info.Env(), names.size());
  for (uint32_t i = 0; i < names.size(); i++) list.Set(i, names[i]);
  return list;
}

}  // namespace convlane
