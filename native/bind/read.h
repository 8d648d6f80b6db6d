// SPDX-License-Identifier: MIT
// Reads JavaScript values. Everything is read once; getters and proxies may run user code at any read, so what was read is never read again.
#pragma once
#include <napi.h>

#include <string>
#include <utility>
#include <vector>

#include "../program/program.h"
#include "../program/step.h"

namespace convlane {

// Throw Error("INVALID_ARGUMENT", "<what> …") unless the value is what the name says.
int64_t read_integer(Napi::Value value, const std::string& what, int64_t low, int64_t high, const char* code = "INVALID_ARGUMENT");
double read_finite(Napi::Value value, const std::string& what, const char* code = "INVALID_ARGUMENT");
std::string read_string(Napi::Value value, const std::string& what, const char* code = "INVALID_ARGUMENT");
Napi::Object read_object(Napi::Value value, const std::string& what, const char* code = "INVALID_ARGUMENT");
Napi::Array read_array(Napi::Value value, const std::string& what, uint32_t longest, const char* code = "INVALID_ARGUMENT");

// These throw Error("INVALID_STEP").
StepSpec read_step(Napi::Value value, const std::string& what);
ProgramSpec read_program(Napi::Value value);

// Reads the scalars that are needed from an object that may be undefined when none is.
void read_scalars(Napi::Value value, const std::vector<std::string>& needed, std::vector<std::pair<std::string, double>>& scalars);

// A typed array that may be used: plain memory, neither shared nor resizable. Reading its memory is a second step, behind which no user code
// may run until the memory has been used.
Napi::TypedArray check_typed_array(Napi::Value value, const std::string& what);
struct TypedMemory {
  void* data;
  int64_t length;  // elements
};
// Throws Error("INVALID_TENSOR") when detached or of another type.
TypedMemory typed_memory(const Napi::TypedArray& array, Dtype dtype, const std::string& what);

const char* dtype_name(Dtype dtype);
size_t dtype_bytes(Dtype dtype);

}  // namespace convlane
