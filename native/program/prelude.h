// SPDX-License-Identifier: MIT
// What the first steps of programs make of the weights alone, kept until these change. Programs on one state whose preludes are alike share it.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../core/memory.h"
#include "step.h"

namespace convlane {

// Names the steps and all they work on: two preludes of one key leave the same.
std::string prelude_key(const std::vector<StepSpec>& steps, int64_t count, int64_t elements);

struct PreludeMemory {
  PreludeMemory(std::string key, int64_t elements, MemoryTally tally);  // throws Error("OUT_OF_MEMORY")

  const std::string key;
  Buffer buffer;
  std::mutex mutex;      // held while the steps run, by a run that has the state's lock; readers of the buffer have that lock too
  uint64_t version = 0;  // of the state that the buffer belongs to; 0: of none
};

// The preludes of one state's programs, as long as one of them lives.
class Preludes {
 public:
  std::shared_ptr<PreludeMemory> get(std::string key, int64_t elements, MemoryTally tally);  // throws Error("OUT_OF_MEMORY")

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<PreludeMemory>> known_;
};

}  // namespace convlane
