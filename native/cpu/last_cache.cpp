// SPDX-License-Identifier: MIT
#include "last_cache.h"

#include <charconv>
#include <cstdlib>
#include <string>

#include "../core/error.h"
#include "features.h"

namespace convlane {

namespace {

int64_t wanted_size() {
  const char* wanted = std::getenv("CONVLANE_LAST_CACHE");
  if (wanted == nullptr || *wanted == '\0') {
    const int64_t found = cpu_last_cache() >> 20;
    return found > 0 ? found : 32;
  }
  const std::string text = wanted;
  int64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size < 1 || size > 1 << 20) {
    throw Error("INVALID_ARGUMENT", "CONVLANE_LAST_CACHE is \"" + text + "\", expected MB, an integer from 1 to 1048576");
  }
  return size;
}

}  // namespace

int64_t last_cache() {
  static const int64_t size = wanted_size();
  return size;
}

}  // namespace convlane
