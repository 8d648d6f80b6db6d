// SPDX-License-Identifier: MIT
// Checks of what a step may touch. A step that passes stays within its memory whatever its op computes.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "step.h"

namespace convlane {

constexpr int64_t kMaxElements = int64_t{1} << 40;
constexpr int64_t kOffsetMultiple = 16;  // elements of 4 bytes

// What a step's operands may refer to.
struct Limits {
  int64_t capacity = 1;
  int64_t arena_elements = 0;
  int64_t state_elements = 0;    // 0: no state
  int64_t kept_elements = 0;     // what a prelude leaves
  std::vector<Operand> inputs;   // of a program's run
  int64_t writable_from = kMaxElements;  // inputs from this one on may be written
  int64_t buffers = 0;           // of an eager call
};

// Where in a program a step stands. A prelude reads `state` and `kept` and writes `kept`, which the others read; updates write the state.
enum class Phase { prelude, main, update };

// Rank, sizes, element count, batch size. `where` begins the message.
void check_shape(const Operand& operand, int64_t capacity, const std::string& where);
// All of binding.d.ts: Operand.
void check_operand(const Operand& operand, const Limits& limits, const std::string& where);
// Finds the op, checks all operands, and makes the step. Messages begin with `where`.
std::unique_ptr<Step> make_step(const StepSpec& spec, const Limits& limits, Phase phase, const std::string& where);

}  // namespace convlane
