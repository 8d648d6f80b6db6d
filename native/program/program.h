// SPDX-License-Identifier: MIT
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "lane.h"
#include "state.h"
#include "step.h"

namespace convlane {

enum class LaneKind { train, infer };

// binding.d.ts: ProgramSpec.
struct ProgramSpec {
  int64_t capacity = 1;
  int64_t arena_elements = 0;
  std::vector<Operand> inputs;   // space input, offset their own index
  int64_t given = 0;             // the first of them are given to run, the others prepared
  std::vector<Operand> outputs;
  std::vector<StepSpec> steps;
  std::vector<StepSpec> preparation;
  int64_t prelude_steps = 0;     // the first ones, which run only when the state has changed
  int64_t kept_elements = 0;     // of what they leave
  int64_t update_from = 0;       // number of steps: none writes
  std::vector<int64_t> guards;   // outputs that must be finite for the steps from update_from on to run
  LaneKind lane = LaneKind::infer;
};

struct StepTime {
  std::string op;
  std::string algorithm;
  double seconds = 0;
  int64_t runs = 0;
};

// Staged inputs and outputs of one run. Kept by the program and used again and again.
struct Frame {
  Buffer memory;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  float* scratch = nullptr;  // of preparation
  std::vector<std::pair<std::string, double>> scalars;
  int64_t n = 0;
  bool busy = false;  // from submission until the outputs are copied out; JavaScript's thread only
};

constexpr int kFrames = 2;

struct Limits;
class RedZones;

// A checked program. Immutable but for its frames and times.
class Program {
 public:
  // Throws Error("INVALID_STEP") or Error("OUT_OF_MEMORY"). The state may be null.
  Program(ProgramSpec spec, StateMemory* state, std::shared_ptr<Arena> arena, MemoryTally tally);
  ~Program();
  Program(const Program&) = delete;

  const ProgramSpec& spec() const { return spec_; }
  const std::vector<std::string>& scalars() const { return scalars_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t prepared_bytes() const;

  bool has_preparation() const { return !preparation_.empty(); }
  size_t staging_bytes() const { return frames_[0].memory.size() + frames_[1].memory.size(); }  // JavaScript's thread only

  // A frame that no run uses, ready to be filled: throws Error("BUSY") or Error("OUT_OF_MEMORY").
  Frame& free_frame();
  // On the data lane's thread, before run. False when it was cancelled.
  bool prepare(const Frame& frame, const std::atomic<bool>& cancelled) const;
  // On the lane's thread. False when it was cancelled: then the state is as before.
  bool run(const Frame& frame, StateMemory* state, const std::atomic<bool>& cancelled);
  std::vector<StepTime> profile(bool on);

 private:
  int64_t add_steps(const std::vector<StepSpec>& specs, const Limits& limits, const char* what, std::vector<std::unique_ptr<Step>>& steps);
  void find_prepared(StateMemory* state);
  void check_scratch(int64_t n);
  void run_step(int64_t index, const RunContext& context, bool timing);
  // What the step prepares, made unless it has been of these weights. The state's lock is held. Null where it prepares nothing.
  float* prepared(int64_t index, RunContext context, const StateMemory* state);
  // Runs the prelude unless it has run on these weights. The state's lock is held. False when it was cancelled.
  bool run_prelude(const RunContext& context, const RedZones& others, const StateMemory* state, const std::atomic<bool>& cancelled, bool timing);
  bool may_update(const RunContext& context) const;

  ProgramSpec spec_;
  std::vector<std::unique_ptr<Step>> steps_, preparation_;
  std::vector<std::string> scalars_;
  size_t arena_bytes_ = 0, preparation_bytes_ = 0;
  int64_t scratch_ = 0;  // floats of it
  int64_t checked_ = 0;  // rows of which it is known to be enough; on the lane's thread
  std::shared_ptr<Arena> arena_;
  MemoryTally tally_;
  std::shared_ptr<PreludeMemory> prelude_;  // null without a prelude
  std::vector<std::shared_ptr<PreludeMemory>> prepared_;  // of each step; null where it prepares nothing
  Frame frames_[kFrames];

  std::atomic<bool> timing_{false};
  std::mutex times_mutex_;
  std::vector<StepTime> times_;
};

}  // namespace convlane
