// SPDX-License-Identifier: MIT
#include "dispatch.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "../core/error.h"
#include "features.h"

namespace convlane {

extern const KernelTable kScalarTable;
#if defined(__x86_64__) || defined(_M_X64)
extern const KernelTable kAvx2Table, kAvx512Tables[2];
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const KernelTable kNeonTable;
#endif

namespace {

#if defined(__x86_64__) || defined(_M_X64)
// Rows of AVX-512's widest tile, 4 or 6: which are faster depends on the processor, results don't.
const KernelTable* avx512_table() {
  const char* rows = std::getenv("CONVLANE_TILE_ROWS");
  if (rows == nullptr || *rows == '\0') return &kAvx512Tables[cpu_multiplies_twice() ? 1 : 0];
  if (std::strcmp(rows, "4") == 0) return &kAvx512Tables[0];
  if (std::strcmp(rows, "6") == 0) return &kAvx512Tables[1];
  throw Error("INVALID_ARGUMENT", "CONVLANE_TILE_ROWS must be 4 or 6, got \"" + std::string(rows) + "\"");
}
#endif

struct Target {
  const char* name;
  const KernelTable* table;
  std::vector<const char*> needs;
};

const std::vector<Target>& targets() {  // best first
  static const std::vector<Target> list = {
#if defined(__x86_64__) || defined(_M_X64)
    {"avx512", avx512_table(), {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma"}},
    {"avx2", &kAvx2Table, {"avx2", "fma"}},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {"neon", &kNeonTable, {"asimd"}},
#endif
    {"scalar", &kScalarTable, {}},
  };
  return list;
}

bool runs(const Target& target) {
  for (const char* feature : target.needs) {
    if (!cpu_has(feature)) return false;
  }
  return true;
}

const KernelTable& choose() {
  const char* wanted = std::getenv("CONVLANE_ISA");
  const bool any = wanted == nullptr || *wanted == '\0';
  for (const Target& target : targets()) {
    if ((any || std::strcmp(wanted, target.name) == 0) && runs(target)) return *target.table;
  }
  std::string names;
  for (const char* name : available()) names += (names.empty() ? "" : ", ") + std::string(name);
  throw Error("UNSUPPORTED", "CONVLANE_ISA is \"" + std::string(wanted) + "\", but this machine can run: " + names);
}

}  // namespace

std::vector<const char*> available() {
  std::vector<const char*> names;
  for (const Target& target : targets()) {
    if (runs(target)) names.push_back(target.name);
  }
  return names;
}

const KernelTable& kernels() {
  static const KernelTable& active = choose();
  return active;
}

}  // namespace convlane
