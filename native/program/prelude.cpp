// SPDX-License-Identifier: MIT
#include "prelude.h"

#include <algorithm>
#include <cstring>

namespace convlane {
namespace {

// Lengths before contents, so that no two lists look alike.
class Writer {
 public:
  void number(int64_t value) { text_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void string(const std::string& value) {
    number(static_cast<int64_t>(value.size()));
    text_ += value;
  }
  void numbers(const std::vector<double>& values) {
    number(static_cast<int64_t>(values.size()));
    for (double value : values) text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void operand(const Operand& operand) {
    for (int64_t value : {static_cast<int64_t>(operand.space), operand.offset, static_cast<int64_t>(operand.dtype), int64_t{operand.rank}}) number(value);
    for (int32_t axis = 0; axis < operand.rank; axis++) number(operand.shape[axis]);
  }
  void attributes(const StepSpec& step) {
    number(static_cast<int64_t>(step.numbers.size()));
    for (const auto& [name, values] : step.numbers) string(name), numbers(values);
    number(static_cast<int64_t>(step.strings.size()));
    for (const auto& [name, value] : step.strings) string(name), string(value);
  }
  void row(const Operand& operand) {
    number(operand.rank);
    for (int32_t axis = operand.batched ? 1 : 0; axis < operand.rank; axis++) number(operand.shape[axis]);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

}  // namespace

std::string prelude_key(const std::vector<StepSpec>& steps, int64_t count, int64_t elements) {
  Writer writer;
  writer.number(elements);
  for (int64_t i = 0; i < count; i++) {
    const StepSpec& step = steps[static_cast<size_t>(i)];
    writer.string(step.op);
    writer.number(static_cast<int64_t>(step.operands.size()));
    for (const auto& [name, operand] : step.operands) writer.string(name), writer.operand(operand);
    writer.attributes(step);
  }
  return writer.take();
}

std::string prepared_key(const StepSpec& spec, const Step& step, const std::string& before) {
  Writer writer;
  writer.string(before);
  writer.string(spec.op);
  writer.string(step.algorithm());
  writer.operand(*step.prepared_from());
  writer.number(static_cast<int64_t>(spec.operands.size()));
  for (const auto& [name, operand] : spec.operands) writer.string(name), writer.row(operand);
  writer.attributes(spec);
  return writer.take();
}

PreludeMemory::PreludeMemory(std::string key, int64_t elements, MemoryTally tally)
    : key(std::move(key)), buffer(static_cast<size_t>(elements) * sizeof(float), MemoryKind::arena, std::move(tally)) {}

std::shared_ptr<PreludeMemory> Preludes::get(std::string key, int64_t elements, MemoryTally tally) {
  std::lock_guard<std::mutex> lock(mutex_);
  known_.erase(std::remove_if(known_.begin(), known_.end(), [](const auto& memory) { return memory.expired(); }), known_.end());
  for (const std::weak_ptr<PreludeMemory>& known : known_) {
    std::shared_ptr<PreludeMemory> memory = known.lock();
    if (memory && memory->key == key) return memory;
  }
  auto memory = std::make_shared<PreludeMemory>(std::move(key), elements, std::move(tally));
  known_.push_back(memory);
  return memory;
}

}  // namespace convlane
