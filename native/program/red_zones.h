// SPDX-License-Identifier: MIT
#pragma once
#include <initializer_list>

#include "../core/memory.h"
#include "../core/red_zones.h"
#include "step.h"

namespace convlane {

// Memory that only the steps of one run use for a while, and of which each may touch no more than its operands, as many rows of them as the run has, and the
// scratch memory that it asked for: what else it touches is reported, where there are red zones.
class RedZones {
 public:
  RedZones(std::initializer_list<const Buffer*> memory) {
    for (const Buffer* one : memory) add(*one);
  }
  // The same and more.
  RedZones(const RedZones& others, const Buffer& memory) : RedZones(others) { add(memory); }
  ~RedZones() { open(); }

  void add(const Buffer& memory) { memory_[count_++] = &memory; }

  // From here on to the next call: for this step only.
  void open_for(const StepSpec& spec, const Step& step, const RunContext& context) const {
    if constexpr (kRedZones) {
      for (int i = 0; i < count_; i++) close_memory(memory_[i]->bytes(), memory_[i]->size());
      for (const auto& [name, operand] : spec.operands) open_memory(context.at<char>(operand), operand.bytes(context.n));
      open_memory(context.scratch, static_cast<size_t>(step.scratch_floats(context.n)) * sizeof(float));
    }
  }
  void open() const {
    for (int i = 0; i < count_; i++) open_memory(memory_[i]->bytes(), memory_[i]->size());
  }

 private:
  RedZones(const RedZones&) = default;

  const Buffer* memory_[3] = {};  // arena and frame, and the state or what the prelude leaves
  int count_ = 0;
};

}  // namespace convlane
