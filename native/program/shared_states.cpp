// SPDX-License-Identifier: MIT
#include "shared_states.h"

#include <mutex>
#include <random>
#include <utility>
#include <unordered_map>

namespace convlane {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr size_t kLength = 32;  // of an id: 128 bits

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, std::weak_ptr<StateMemory>> states;
};

// Never destroyed: states may outlive every static object.
Registry& registry() {
  static Registry* made = new Registry;
  return *made;
}

std::string draw_id() {
  std::random_device random;
  std::string id;
  while (id.size() < kLength) {
    unsigned int bits = random();
    for (int i = 0; i < 8; i++, bits >>= 4) id += kDigits[bits & 15];
  }
  return id;
}

}  // namespace

bool is_shared_id(const std::string& text) { return text.size() == kLength && text.find_first_not_of(kDigits) == std::string::npos; }

const std::string& share_state(const std::shared_ptr<StateMemory>& state) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  if (state->id.empty()) {
    std::string id = draw_id();
    registry().states.emplace(id, state);
    state->id = std::move(id);
  }
  return state->id;
}

std::shared_ptr<StateMemory> find_shared(const std::string& id) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  const auto found = registry().states.find(id);
  return found == registry().states.end() ? nullptr : found->second.lock();
}

void forget_shared(const StateMemory& state) {
  if (state.id.empty()) return;  // nobody else has the state any more: its id stays as it is
  std::lock_guard<std::mutex> lock(registry().mutex);
  registry().states.erase(state.id);
}

}  // namespace convlane
