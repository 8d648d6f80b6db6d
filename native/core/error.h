// SPDX-License-Identifier: MIT
#pragma once
#include <stdexcept>
#include <string>

namespace convlane {

// What native code refuses, with the `code` that JavaScript sees. Caught in native/bind; never crosses the N-API border.
class Error : public std::runtime_error {
 public:
  Error(const char* code, const std::string& message) : std::runtime_error(message), code(code) {}
  Error(const Error&) = default;  // no move: the one of std::runtime_error is newer than the C++ libraries this must load beside
  Error& operator=(const Error&) = default;
  const char* code;  // a string literal: INVALID_ARGUMENT, INVALID_STEP, OUT_OF_MEMORY, BUSY, DISPOSED, ABORTED, UNSUPPORTED
};

}  // namespace convlane
