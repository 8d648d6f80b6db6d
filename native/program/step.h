// SPDX-License-Identifier: MIT
// A step is one op of a program (or of an eager call), with its operands checked. native/core implements steps; native/program runs them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../core/error.h"

namespace convlane {

enum class Dtype : int32_t { float32, int32, uint8 };
enum class Space : int32_t { arena, state, kept, input, buffer };
constexpr int kMaxRank = 6;

// binding.d.ts: Operand. Already checked: rank, sizes >= 1, element count < 2^40, bounds within its space (at capacity).
struct Operand {
  Space space = Space::arena;
  int64_t offset = 0;       // elements of 4 bytes (arena, state, kept) or index (input, buffer)
  Dtype dtype = Dtype::float32;
  int32_t rank = 0;
  int64_t shape[kMaxRank] = {};
  bool batched = false;

  int64_t elements() const;                     // at capacity
  int64_t elements(int64_t n) const;            // with shape[0] = n when batched
  int64_t row_elements() const;                 // product of shape[1..]
  size_t bytes(int64_t n) const { return static_cast<size_t>(elements(n)) * (dtype == Dtype::uint8 ? 1 : 4); }
};

// What bind reads from a step object, before any op has looked at it.
struct StepSpec {
  std::string op;
  std::vector<std::pair<std::string, Operand>> operands;
  std::vector<std::pair<std::string, std::vector<double>>> numbers;  // booleans are 0 and 1; nested arrays in order
  std::vector<std::pair<std::string, std::string>> strings;

  const Operand& operand(const char* name) const;                    // throws Error("INVALID_STEP")
  const Operand* optional(const char* name) const;
  bool flag(const char* name, bool fallback) const;
  double number(const char* name) const;                             // throws when absent
  double number(const char* name, double fallback) const;
  std::vector<int64_t> integers(const char* name, size_t count, int64_t low, int64_t high) const;  // throws unless exactly `count` integers within range
  size_t count(const char* name) const;                              // how many numbers the attribute has; 0 when absent
  std::string string(const char* name, const char* fallback) const;
};

// What a step sees when it runs.
struct RunContext {
  float* arena = nullptr;
  float* state = nullptr;
  float* kept = nullptr;
  const void* const* inputs = nullptr;
  void* const* buffers = nullptr;
  int64_t n = 0;                        // batch size of this run
  float* scratch = nullptr;             // scratch_floats(n) of them, 64-byte aligned, not zeroed
  float* prepared = nullptr;            // what prepare() has made, or null: run() then does that itself
  // Values by name that change from run to run.
  const std::vector<std::pair<std::string, double>>* scalars = nullptr;
  double scalar(const char* name) const;  // checked to be present before the first step runs

  template <class T = float>
  T* at(const Operand& o) const {
    switch (o.space) {
      case Space::arena: return reinterpret_cast<T*>(arena + o.offset);
      case Space::state: return reinterpret_cast<T*>(state + o.offset);
      case Space::kept: return reinterpret_cast<T*>(kept + o.offset);
      case Space::input: return static_cast<T*>(const_cast<void*>(inputs[o.offset]));
      default: return static_cast<T*>(buffers[o.offset]);
    }
  }
};

class Step {
 public:
  virtual ~Step() = default;
  // Floats of scratch memory that run() needs for a batch of n. Monotonic in n: a program has what its capacity needs.
  virtual int64_t scratch_floats(int64_t n) const { (void)n; return 0; }
  // Computes. Must be deterministic: the same bits whatever the number of threads. Does not throw, except OUT_OF_MEMORY from thread_scratch.
  virtual void run(const RunContext& context) const = 0;
  // What run() makes of its weights before all else can be made once for many runs: prepared_floats() of them (0: nothing) from the operand prepared_from().
  virtual int64_t prepared_floats() const { return 0; }
  virtual const Operand* prepared_from() const { return nullptr; }
  virtual void prepare(const RunContext& context) const { (void)context; }  // as run(), into context.prepared
  virtual const char* algorithm() const { return ""; }
  // Names of scalars that run() reads.
  virtual std::vector<std::string> scalars() const { return {}; }
};

struct OpEntry {
  const char* name;
  std::vector<const char*> outputs;       // operands that are written; the rest are read only
  std::vector<const char*> updates;       // operands that are read and written (param, velocity, …); may be in `state`
  bool in_place;                          // an output may lie exactly on an input of the same size
  std::unique_ptr<Step> (*make)(const StepSpec&);              // checks geometry and dtypes; throws Error("INVALID_STEP", "conv2d: …")
  std::vector<std::string> (*algorithms)(const StepSpec&);     // may be null
};

// native/core/ops.cpp: the one list of ops.
const OpEntry* find_op(const std::string& name);

}  // namespace convlane
