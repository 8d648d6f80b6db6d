// SPDX-License-Identifier: MIT
// States of the process by ids, so that its JavaScript environments can own one together. An id owns nothing.
#pragma once
#include <memory>
#include <string>

#include "state.h"

namespace convlane {

bool is_shared_id(const std::string& text);  // looks like one
// The state's id, drawn at the first call: no other process, and no state that is gone, has the same. Throws std::exception where the system has no randomness.
const std::string& share_state(const std::shared_ptr<StateMemory>& state);
std::shared_ptr<StateMemory> find_shared(const std::string& id);  // null when nobody owns such a state
void forget_shared(const StateMemory& state);                     // by its destructor

}  // namespace convlane
