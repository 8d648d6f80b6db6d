// SPDX-License-Identifier: MIT
#include "threads.h"

#if defined(__x86_64__) || defined(_M_X64) || defined(__SSE__)
#include <xmmintrin.h>
#elif defined(_M_ARM64)
#include <intrin.h>
#endif

namespace convlane {
namespace {

#if defined(__x86_64__) || defined(_M_X64) || defined(__SSE__)

constexpr uint64_t kFlush = 0x8040;  // MXCSR: flush-to-zero (bit 15), denormals-are-zero (bit 6)
uint64_t control() { return _mm_getcsr(); }
void set_control(uint64_t value) { _mm_setcsr(static_cast<unsigned>(value)); }

#elif defined(__aarch64__)

constexpr uint64_t kFlush = uint64_t{1} << 24;  // FPCR.FZ: inputs and results
uint64_t control() {
  uint64_t value;
  __asm__ volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void set_control(uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value) : "memory"); }

#elif defined(_M_ARM64)

constexpr uint64_t kFlush = uint64_t{1} << 24;
uint64_t control() { return static_cast<uint64_t>(_ReadStatusReg(ARM64_FPCR)); }
void set_control(uint64_t value) { _WriteStatusReg(ARM64_FPCR, static_cast<__int64>(value)); }

#else

constexpr uint64_t kFlush = 0;
uint64_t control() { return 0; }
void set_control(uint64_t) {}

#endif

}  // namespace

FlushDenormals::FlushDenormals() : saved_(control()) { set_control(saved_ | kFlush); }
FlushDenormals::~FlushDenormals() { set_control(saved_); }

}  // namespace convlane
