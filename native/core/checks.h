// SPDX-License-Identifier: MIT
// What every op's make function checks with: operands by rank and dtype, shapes against each other, attributes.
#pragma once
#include "../cpu/kernel_table.h"
#include "../program/step.h"

namespace convlane {

[[noreturn]] void refuse(const StepSpec& spec, const std::string& message);

std::string shape_text(const Operand& operand);  // "[128,28,28,1]"

// The operand, refused unless it has this dtype (and rank, where rank >= 0).
const Operand& tensor(const StepSpec& spec, const char* name, int32_t rank = -1, Dtype dtype = Dtype::float32);
const Operand* optional_tensor(const StepSpec& spec, const char* name, int32_t rank = -1, Dtype dtype = Dtype::float32);

// Refuses unless both have one shape and are both batched or both not.
void same_shape(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b);
// Refuses unless both have the same first size and are both batched or both not.
void same_batch(const StepSpec& spec, const char* a_name, const Operand& a, const char* b_name, const Operand& b);
void not_batched(const StepSpec& spec, const char* name, const Operand& operand);
// "conv2d: y has height 5, geometry gives 4"
void expect_size(const StepSpec& spec, const char* operand, const char* what, int64_t found, const char* source, int64_t expected);
// One value: rank 0, or any rank with one element; not batched.
const Operand& single_value(const StepSpec& spec, const char* name);

Activation activation_named(const StepSpec& spec, const std::string& name);  // with the parameters that the step gives; refuses another name
Activation activation_of(const StepSpec& spec);  // attribute `activation`, linear when absent
double number_between(const StepSpec& spec, const char* name, double low, double high);  // both included
int64_t last_size(const Operand& operand);                                              // 1 for rank 0

// The rows of a run: n where the operand is batched, its first size where it is not.
inline int64_t rows_of(const Operand& operand, int64_t n) { return operand.batched ? n : operand.shape[0]; }

}  // namespace convlane
