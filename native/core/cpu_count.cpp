// SPDX-License-Identifier: MIT
// How many threads compute unless the caller says: what CONVLANE_THREADS says, else as many as CPUs that this process may use.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <system_error>
#include <thread>

#include "error.h"
#include "threads.h"

#if defined(__linux__)
#include <sched.h>

#include <fstream>
#include <sstream>
#endif

namespace convlane {
namespace {

#if defined(__linux__)

int affinity_count() {
  for (int cpus = 1024; cpus <= 1 << 16; cpus *= 2) {  // the call fails while the set is smaller than the kernel's
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) return 0;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return 0;
}

// cgroup v2: "<quota|max> <period>" in one file.
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota, period;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : INFINITY;
}

// cgroup v1: two files; a quota of -1 means none.
double quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota, period;
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period : INFINITY;
}

// The smallest quota from the group up to the root: each level limits what is below it.
double smallest_quota(const std::string& root, std::string group, double (*quota)(const std::string&)) {
  double smallest = quota(root);
  while (!group.empty() && group != "/") {
    smallest = std::min(smallest, quota(root + group));
    group.resize(group.find_last_of('/') == std::string::npos ? 0 : group.find_last_of('/'));
  }
  return smallest;
}

double cgroup_quota() {
  double smallest = INFINITY;
  std::ifstream file("/proc/self/cgroup");  // lines "<id>:<controllers>:<group>", v2 without controllers
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) {
      smallest = std::min(smallest, smallest_quota("/sys/fs/cgroup", group, quota_v2));
      continue;
    }
    std::stringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name != "cpu") continue;
      for (const std::string& root : {"/sys/fs/cgroup/" + controllers, std::string("/sys/fs/cgroup/cpu")}) {
        smallest = std::min(smallest, smallest_quota(root, group, quota_v1));
      }
    }
  }
  return smallest;
}

#endif

int count_cpus() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  if (const int allowed = affinity_count()) count = allowed;
  const double quota = cgroup_quota();
  if (quota < count) count = static_cast<int>(std::ceil(quota));
#endif
  return std::clamp(count, 1, 1024);
}

int wanted_count() {
  const char* wanted = std::getenv("CONVLANE_THREADS");
  if (wanted == nullptr || *wanted == '\0') return count_cpus();
  const std::string text = wanted;
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);  // strtol, compiled against glibc 2.38, would ask for that
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > 1024) {
    throw Error("INVALID_ARGUMENT", "CONVLANE_THREADS is \"" + text + "\", expected an integer from 1 to 1024");
  }
  return count;
}

}  // namespace

int default_threads() {
  static const int count = wanted_count();
  return count;
}

}  // namespace convlane
