// SPDX-License-Identifier: MIT
// What programs make of the weights alone, kept until these change: by their first steps, and by steps that prepare their weights. Programs on one state that
// make the same share it.
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
// Names what a step prepares of its weights, whatever the batch and the place of its other operands. `before`: names the prelude, where the weights are of it.
std::string prepared_key(const StepSpec& spec, const Step& step, const std::string& before);

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
