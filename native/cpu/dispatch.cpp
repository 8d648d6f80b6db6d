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
extern const KernelTable kAvx2Table, kAvx512Table;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const KernelTable kNeonTable;
#endif

namespace {

struct Target {
  const char* name;
  const KernelTable* table;
  std::vector<const char*> needs;
};

const std::vector<Target>& targets() {  // best first
  static const std::vector<Target> list = {
#if defined(__x86_64__) || defined(_M_X64)
    {"avx512", &kAvx512Table, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma"}},
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
