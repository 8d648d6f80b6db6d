// SPDX-License-Identifier: MIT
#include "features.h"

#include <algorithm>
#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#define CONVLANE_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_M_ARM64)
#include <windows.h>
#endif

namespace convlane {
namespace {

#if defined(CONVLANE_X86)

struct Leaf { uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0; };

Leaf cpuid(uint32_t leaf, uint32_t subleaf) {
  Leaf r;
#if defined(_MSC_VER)
  int v[4];
  __cpuid(v, static_cast<int>(leaf & 0x80000000u));
  if (static_cast<uint32_t>(v[0]) < leaf) return r;
  __cpuidex(v, static_cast<int>(leaf), static_cast<int>(subleaf));
  r = {static_cast<uint32_t>(v[0]), static_cast<uint32_t>(v[1]), static_cast<uint32_t>(v[2]), static_cast<uint32_t>(v[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

// Which register states the operating system saves (XCR0).
uint64_t saved_states() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | static_cast<uint64_t>(high) << 32;
#endif
}

std::vector<std::string> detect() {
  const Leaf basic = cpuid(1, 0), extended = cpuid(7, 0), more = cpuid(7, 1);
  const uint64_t saved = basic.ecx >> 27 & 1 ? saved_states() : 0;
  const bool ymm = (saved & 0x6) == 0x6, zmm = (saved & 0xe6) == 0xe6, tiles = (saved & 0x60000) == 0x60000;
  const struct { const char* name; uint32_t reg; int bit; bool usable; } known[] = {
    {"sse2", basic.edx, 26, true}, {"sse3", basic.ecx, 0, true}, {"ssse3", basic.ecx, 9, true}, {"sse4_1", basic.ecx, 19, true},
    {"sse4_2", basic.ecx, 20, true}, {"popcnt", basic.ecx, 23, true}, {"avx", basic.ecx, 28, ymm}, {"f16c", basic.ecx, 29, ymm},
    {"fma", basic.ecx, 12, ymm}, {"avx2", extended.ebx, 5, ymm}, {"bmi2", extended.ebx, 8, true}, {"avx_vnni", more.eax, 4, ymm},
    {"avx512f", extended.ebx, 16, zmm}, {"avx512dq", extended.ebx, 17, zmm}, {"avx512bw", extended.ebx, 30, zmm},
    {"avx512vl", extended.ebx, 31, zmm}, {"avx512_vnni", extended.ecx, 11, zmm}, {"avx512_bf16", more.eax, 5, zmm},
    {"avx512_fp16", extended.edx, 23, zmm}, {"amx_tile", extended.edx, 24, tiles}, {"amx_bf16", extended.edx, 22, tiles},
    {"amx_int8", extended.edx, 25, tiles},
  };
  std::vector<std::string> found;
  for (const auto& k : known) {
    if (k.usable && (k.reg >> k.bit & 1)) found.push_back(k.name);
  }
  return found;
}

// "AuthenticAMD": its middle letters.
bool made_by_amd() { return cpuid(0, 0).edx == 0x69746e65; }

// By the vendor and the family. Some of Intel's have one such unit, too.
bool multiplies_twice() {
  const uint32_t version = cpuid(1, 0).eax, family = (version >> 8 & 15) + ((version >> 8 & 15) == 15 ? version >> 20 & 255 : 0);
  return !made_by_amd() || family >= 0x1a;
}

int64_t largest_cache() {
  int64_t largest = 0;
  for (uint32_t i = 0; i < 16; ++i) {  // caches; the last one is of no type
    const Leaf cache = cpuid(made_by_amd() ? 0x8000001du : 4, i);
    if ((cache.eax & 31) == 0) break;
    const int64_t ways = (cache.ebx >> 22) + 1, partitions = (cache.ebx >> 12 & 1023) + 1, line = (cache.ebx & 4095) + 1;
    largest = std::max(largest, ways * partitions * line * (int64_t{cache.ecx} + 1));
  }
  return largest;
}

#elif defined(__aarch64__) && defined(__linux__)

// Bit numbers of the kernel's interface (arch/arm64/include/uapi/asm/hwcap.h), written out because older headers lack the later ones.
std::vector<std::string> detect() {
  const uint64_t first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  const struct { const char* name; uint64_t word; int bit; } known[] = {
    {"asimd", first, 1}, {"fphp", first, 9}, {"asimdhp", first, 10}, {"asimddp", first, 20}, {"sve", first, 22},
    {"sve2", second, 1}, {"i8mm", second, 13}, {"bf16", second, 14}, {"sme", second, 23},
  };
  std::vector<std::string> found;
  for (const auto& k : known) {
    if (k.word >> k.bit & 1) found.push_back(k.name);
  }
  return found;
}

#elif defined(__aarch64__) && defined(__APPLE__)

std::vector<std::string> detect() {
  std::vector<std::string> found = {"asimd"};
  const struct { const char* name; const char* key; } known[] = {
    {"asimdhp", "hw.optional.arm.FEAT_FP16"}, {"asimddp", "hw.optional.arm.FEAT_DotProd"}, {"i8mm", "hw.optional.arm.FEAT_I8MM"},
    {"bf16", "hw.optional.arm.FEAT_BF16"}, {"sme", "hw.optional.arm.FEAT_SME"},
  };
  for (const auto& k : known) {
    int value = 0;
    size_t size = sizeof value;
    if (sysctlbyname(k.key, &value, &size, nullptr, 0) == 0 && value != 0) found.push_back(k.name);
  }
  return found;
}

#elif defined(_M_ARM64)

std::vector<std::string> detect() {
  std::vector<std::string> found = {"asimd"};
  if (IsProcessorFeaturePresent(43)) found.push_back("asimddp");  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
  return found;
}

#else

std::vector<std::string> detect() { return {}; }

#endif

}  // namespace

const std::vector<std::string>& cpu_features() {
  static const std::vector<std::string> features = detect();
  return features;
}

bool cpu_multiplies_twice() {
#if defined(CONVLANE_X86)
  static const bool twice = multiplies_twice();
  return twice;
#else
  return false;
#endif
}

int64_t cpu_last_cache() {
#if defined(CONVLANE_X86)
  return largest_cache();
#else
  return 0;
#endif
}

bool cpu_has(const char* feature) {
  for (const std::string& f : cpu_features()) {
    if (f == feature) return true;
  }
  return false;
}

}  // namespace convlane
