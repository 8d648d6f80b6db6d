// SPDX-License-Identifier: MIT
#include "verify.h"

#include <algorithm>
#include <cstring>

namespace convlane {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& what) { throw Error("INVALID_STEP", where + ": " + what); }

bool contains(const std::vector<const char*>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const char* n) { return name == n; });
}

void check_range(const Operand& operand, int64_t size, const char* space, const std::string& where) {
  if (operand.offset % kOffsetMultiple != 0) {
    refuse(where, "offset " + std::to_string(operand.offset) + " is not a multiple of " + std::to_string(kOffsetMultiple));
  }
  if (operand.offset > size || operand.elements() > size - operand.offset) {
    refuse(where, "elements " + std::to_string(operand.offset) + " to " + std::to_string(operand.offset + operand.elements()) + " do not lie in the " +
                      space + " of " + std::to_string(size));
  }
}

bool overlap(const Operand& a, const Operand& b) {
  if (a.space != b.space) return false;
  if (a.space == Space::buffer || a.space == Space::input) return a.offset == b.offset;
  return a.offset < b.offset + b.elements() && b.offset < a.offset + a.elements();
}

void check_writes(const StepSpec& spec, const OpEntry& op, const Limits& limits, Phase phase, const std::string& where) {
  for (const auto& [name, operand] : spec.operands) {
    const bool output = contains(op.outputs, name), written = output || contains(op.updates, name);
    const bool of_prelude = operand.space == Space::kept || (operand.space == Space::state && !written);
    if (phase == Phase::prelude && !of_prelude) refuse(where, name + (written ? " is written in the prelude, and does not lie in kept" : " is not there for the prelude"));
    if (!written) continue;
    if (operand.space == Space::kept && phase != Phase::prelude) refuse(where, name + " writes kept behind the prelude");
    if (operand.space == Space::input && operand.offset < limits.writable_from) refuse(where, name + " is written and cannot be an input");
    if (operand.space == Space::state && phase != Phase::update) refuse(where, name + " writes the state before updateFrom");
    for (const auto& [other_name, other] : spec.operands) {
      if (&other == &operand || !overlap(operand, other)) continue;
      const bool exact = operand.offset == other.offset && operand.elements() == other.elements() && operand.batched == other.batched &&
                         operand.dtype == other.dtype;
      const bool other_read = !contains(op.outputs, other_name) && !contains(op.updates, other_name);
      if (!(output && op.in_place && other_read && exact)) refuse(where, name + " is written and overlaps " + other_name);
    }
  }
}

}  // namespace

void check_shape(const Operand& operand, int64_t capacity, const std::string& where) {
  if (operand.rank < 0 || operand.rank > kMaxRank) refuse(where, "rank is " + std::to_string(operand.rank) + ", at most " + std::to_string(kMaxRank));
  int64_t elements = 1;
  for (int i = 0; i < operand.rank; i++) {
    if (operand.shape[i] < 1) refuse(where, "size " + std::to_string(operand.shape[i]) + " is not positive");
    if (operand.shape[i] > kMaxElements / elements) refuse(where, "has too many elements");
    elements *= operand.shape[i];
  }
  if (!operand.batched) return;
  if (operand.rank == 0) refuse(where, "is batched and has no size");
  if (operand.shape[0] != capacity) {
    refuse(where, "is batched, and its first size is " + std::to_string(operand.shape[0]) + " instead of the capacity " + std::to_string(capacity));
  }
}

void check_operand(const Operand& operand, const Limits& limits, const std::string& where) {
  check_shape(operand, limits.capacity, where);
  if (operand.offset < 0 || operand.offset > kMaxElements) refuse(where, "offset is out of range");
  if (operand.dtype == Dtype::uint8 && operand.space != Space::input && operand.space != Space::buffer) refuse(where, "uint8 is for inputs only");
  switch (operand.space) {
    case Space::arena:
      if (limits.buffers > 0) refuse(where, "an eager call has buffers only");
      return check_range(operand, limits.arena_elements, "arena", where);
    case Space::state:
      if (limits.state_elements == 0) refuse(where, "there is no state");
      if (operand.batched) refuse(where, "state cannot be batched");
      if (operand.dtype != Dtype::float32) refuse(where, "state is float32");
      return check_range(operand, limits.state_elements, "state", where);
    case Space::kept:
      if (operand.batched) refuse(where, "kept cannot be batched");
      return check_range(operand, limits.kept_elements, "kept memory", where);
    case Space::input: {
      if (operand.offset >= static_cast<int64_t>(limits.inputs.size())) {
        refuse(where, "there is no input " + std::to_string(operand.offset));
      }
      const Operand& input = limits.inputs[operand.offset];
      // The shape may be another one of as many elements: a reshape of an input is no step.
      if (input.dtype != operand.dtype || input.batched != operand.batched || input.elements() != operand.elements()) {
        refuse(where, "does not agree with input " + std::to_string(operand.offset));
      }
      return;
    }
    case Space::buffer:
      if (operand.offset >= limits.buffers) refuse(where, "there is no buffer " + std::to_string(operand.offset));
      return;
  }
}

std::unique_ptr<Step> make_step(const StepSpec& spec, const Limits& limits, Phase phase, const std::string& where) {
  const OpEntry* op = find_op(spec.op);
  if (op == nullptr) refuse(where, "there is no op of this name");
  for (const auto& [name, operand] : spec.operands) check_operand(operand, limits, where + ": " + name);
  check_writes(spec, *op, limits, phase, where);
  try {
    return op->make(spec);
  } catch (const Error& e) {
    if (std::strcmp(e.code, "INVALID_STEP") != 0) throw;
    const std::string message = e.what(), prefix = spec.op + ": ";  // `where` names the op already
    throw Error("INVALID_STEP", where + ": " + (message.compare(0, prefix.size(), prefix) == 0 ? message.substr(prefix.size()) : message));
  }
}

}  // namespace convlane
