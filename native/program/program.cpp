// SPDX-License-Identifier: MIT
#include "program.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "red_zones.h"
#include "verify.h"

namespace convlane {
namespace {

size_t aligned(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

}  // namespace

Program::Program(ProgramSpec spec, StateMemory* state, std::shared_ptr<Arena> arena, MemoryTally tally)
    : spec_(std::move(spec)), arena_(std::move(arena)), tally_(std::move(tally)) {
  Limits limits;
  limits.capacity = spec_.capacity;
  limits.arena_elements = spec_.arena_elements;
  limits.state_elements = state ? state->elements : 0;
  limits.kept_elements = spec_.kept_elements;
  for (size_t i = 0; i < spec_.inputs.size(); i++) check_shape(spec_.inputs[i], spec_.capacity, "input " + std::to_string(i));
  limits.inputs = spec_.inputs;
  for (size_t i = 0; i < spec_.outputs.size(); i++) {
    const std::string where = "output " + std::to_string(i);
    if (spec_.outputs[i].space != Space::arena) throw Error("INVALID_STEP", where + ": must lie in the arena");
    check_operand(spec_.outputs[i], limits, where);
  }
  for (int64_t guard : spec_.guards) {
    if (guard < 0 || guard >= static_cast<int64_t>(spec_.outputs.size()) || spec_.outputs[static_cast<size_t>(guard)].dtype != Dtype::float32) {
      throw Error("INVALID_STEP", "guard " + std::to_string(guard) + ": there is no float32 output of this number");
    }
  }

  scratch_ = add_steps(spec_.steps, limits, "step", steps_);
  for (size_t i = 0; i < spec_.steps.size(); i++) times_.push_back({spec_.steps[i].op, steps_[i]->algorithm(), 0, 0});
  Limits before;  // no arena, no state
  before.capacity = spec_.capacity;
  before.inputs = spec_.inputs;
  before.writable_from = spec_.given;
  preparation_bytes_ = aligned(static_cast<size_t>(add_steps(spec_.preparation, before, "preparation", preparation_)) * sizeof(float));
  arena_bytes_ = aligned(static_cast<size_t>(spec_.arena_elements) * sizeof(float)) + aligned(static_cast<size_t>(scratch_) * sizeof(float));
  if (spec_.prelude_steps > 0) {
    std::string key = prelude_key(spec_.steps, spec_.prelude_steps, spec_.kept_elements);
    prelude_ = state ? state->preludes.get(std::move(key), spec_.kept_elements, tally_)
                     : std::make_shared<PreludeMemory>(std::move(key), spec_.kept_elements, tally_);
  }
  find_prepared(state);
  arena_->attach(arena_bytes_);
}

Program::~Program() { arena_->detach(); }

// Weights that runs find unchanged are prepared once, where a run is small enough for that to be felt, and what comes of them fits into a cache.
void Program::find_prepared(StateMemory* state) {
  constexpr int64_t kBatch = 64, kFloats = int64_t{4} << 20;
  prepared_.resize(steps_.size());
  if (state == nullptr || spec_.update_from < static_cast<int64_t>(steps_.size()) || spec_.capacity > kBatch) return;
  for (auto i = static_cast<size_t>(spec_.prelude_steps); i < steps_.size(); i++) {
    const int64_t floats = steps_[i]->prepared_floats();
    if (floats == 0 || floats > kFloats) continue;
    const Space space = steps_[i]->prepared_from()->space;
    if (space != Space::state && space != Space::kept) continue;
    const std::string before = space == Space::kept ? prelude_->key : std::string();
    prepared_[i] = state->preludes.get(prepared_key(spec_.steps[i], *steps_[i], before), floats, tally_);
  }
}

size_t Program::prepared_bytes() const {
  size_t bytes = 0;
  for (const auto& memory : prepared_) bytes += memory ? memory->buffer.size() : 0;
  return bytes;
}

// Makes the steps, notes their scalars, and gives the floats of scratch memory that the greediest needs.
int64_t Program::add_steps(const std::vector<StepSpec>& specs, const Limits& limits, const char* what, std::vector<std::unique_ptr<Step>>& steps) {
  int64_t scratch = 0;
  for (size_t i = 0; i < specs.size(); i++) {
    const std::string where = std::string(what) + " " + std::to_string(i) + " (" + specs[i].op + ")";
    const auto number = static_cast<int64_t>(i);
    const bool of_run = &specs == &spec_.steps;
    const Phase phase = of_run && number < spec_.prelude_steps ? Phase::prelude : of_run && number >= spec_.update_from ? Phase::update : Phase::main;
    steps.push_back(make_step(specs[i], limits, phase, where));
    if (phase == Phase::prelude && !steps.back()->scalars().empty()) throw Error("INVALID_STEP", where + ": what changes from run to run is not there for the prelude");
    scratch = std::max(scratch, steps.back()->scratch_floats(spec_.capacity));
    for (std::string& name : steps.back()->scalars()) {
      if (std::find(scalars_.begin(), scalars_.end(), name) == scalars_.end()) scalars_.push_back(std::move(name));
    }
  }
  if (scratch < 0 || scratch > kMaxElements) throw Error("OUT_OF_MEMORY", "a step needs more scratch memory than there can be");
  return scratch;
}

Frame& Program::free_frame() {
  Frame* frame = std::find_if(frames_, frames_ + kFrames, [](const Frame& f) { return !f.busy; });
  if (frame == frames_ + kFrames) throw Error("BUSY", "two runs of this program are under way");
  if (frame->inputs.size() == spec_.inputs.size() && frame->outputs.size() == spec_.outputs.size()) return *frame;

  size_t bytes = preparation_bytes_;
  for (const Operand& input : spec_.inputs) bytes += aligned(input.bytes(spec_.capacity));
  for (const Operand& output : spec_.outputs) bytes += aligned(output.bytes(spec_.capacity));
  frame->memory = Buffer(bytes, MemoryKind::staging, tally_);
  frame->inputs.clear();
  frame->outputs.clear();
  char* next = frame->memory.bytes();
  for (const Operand& input : spec_.inputs) {
    frame->inputs.push_back(next);
    next += aligned(input.bytes(spec_.capacity));
  }
  for (const Operand& output : spec_.outputs) {
    frame->outputs.push_back(next);
    next += aligned(output.bytes(spec_.capacity));
  }
  frame->scratch = reinterpret_cast<float*>(next);
  return *frame;
}

bool Program::prepare(const Frame& frame, const std::atomic<bool>& cancelled) const {
  RunContext context;
  context.inputs = frame.inputs.data();
  context.n = frame.n;
  context.scratch = frame.scratch;
  context.scalars = &frame.scalars;
  const RedZones zones{&frame.memory};
  for (size_t i = 0; i < preparation_.size(); i++) {
    if (cancelled.load(std::memory_order_relaxed)) return false;
    zones.open_for(spec_.preparation[i], *preparation_[i], context);
    preparation_[i]->run(context);
  }
  return true;
}

bool Program::run(const Frame& frame, StateMemory* state, const std::atomic<bool>& cancelled) {
  const std::shared_ptr<Buffer> memory = arena_->memory();
  RunContext context;
  context.arena = memory->floats();
  context.state = state ? state->buffer.floats() : nullptr;
  context.kept = prelude_ ? prelude_->buffer.floats() : nullptr;
  context.inputs = frame.inputs.data();
  context.n = frame.n;
  context.scratch = reinterpret_cast<float*>(memory->bytes() + aligned(static_cast<size_t>(spec_.arena_elements) * sizeof(float)));
  context.scalars = &frame.scalars;

  check_scratch(frame.n);
  const auto count = static_cast<int64_t>(steps_.size());
  StateAccess access(state, spec_.update_from < count);
  const bool timing = timing_.load(std::memory_order_relaxed);
  RedZones zones{memory.get(), &frame.memory};
  if (prelude_ && !run_prelude(context, zones, state, cancelled, timing)) return false;
  for (int64_t i = spec_.prelude_steps; i < count; i++) {
    if (i == spec_.update_from) {
      zones.open();
      if (!may_update(context)) break;
      access.begin_update();
      if (state) zones.add(state->buffer);
    }
    if (i < spec_.update_from && cancelled.load(std::memory_order_relaxed)) return false;
    zones.open_for(spec_.steps[static_cast<size_t>(i)], *steps_[static_cast<size_t>(i)], context);
    context.prepared = prepared(i, context, state);
    run_step(i, context, timing);
  }
  zones.open();
  for (size_t i = 0; i < spec_.outputs.size(); i++) {
    std::memcpy(frame.outputs[i], context.arena + spec_.outputs[i].offset, spec_.outputs[i].bytes(frame.n));
  }
  return true;
}

// Steps promise to need no more for fewer rows. One that does not keep it would write over what others have there: it must not run.
void Program::check_scratch(int64_t n) {
  if (n == checked_ || n == spec_.capacity) return;
  for (size_t i = 0; i < steps_.size(); i++) {
    if (steps_[i]->scratch_floats(n) <= scratch_) continue;
    throw Error("INTERNAL", "step " + std::to_string(i) + " (" + spec_.steps[i].op + ") needs more memory for " + std::to_string(n) + " rows than for " +
                                std::to_string(spec_.capacity));
  }
  checked_ = n;
}

float* Program::prepared(int64_t index, RunContext context, const StateMemory* state) {
  const auto i = static_cast<size_t>(index);
  if (!prepared_[i]) return nullptr;
  PreludeMemory& memory = *prepared_[i];
  context.prepared = memory.buffer.floats();
  std::lock_guard<std::mutex> lock(memory.mutex);
  const uint64_t version = state->version.load(std::memory_order_relaxed);
  if (memory.version != version) {
    memory.version = 0;
    steps_[i]->prepare(context);
    memory.version = version;
  }
  return context.prepared;
}

void Program::run_step(int64_t index, const RunContext& context, bool timing) {
  const auto i = static_cast<size_t>(index);
  if (!timing) return steps_[i]->run(context);
  const auto start = std::chrono::steady_clock::now();
  steps_[i]->run(context);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::lock_guard<std::mutex> lock(times_mutex_);
  times_[i].seconds += seconds;
  times_[i].runs++;
}

bool Program::run_prelude(const RunContext& context, const RedZones& others, const StateMemory* state, const std::atomic<bool>& cancelled, bool timing) {
  std::lock_guard<std::mutex> lock(prelude_->mutex);
  const uint64_t version = state ? state->version.load(std::memory_order_relaxed) : 1;
  if (prelude_->version == version) return true;
  prelude_->version = 0;
  const RedZones zones(others, prelude_->buffer);
  for (int64_t i = 0; i < spec_.prelude_steps; i++) {
    if (cancelled.load(std::memory_order_relaxed)) return false;
    zones.open_for(spec_.steps[static_cast<size_t>(i)], *steps_[static_cast<size_t>(i)], context);
    run_step(i, context, timing);
  }
  prelude_->version = version;
  return true;
}

bool Program::may_update(const RunContext& context) const {
  return std::all_of(spec_.guards.begin(), spec_.guards.end(), [&](int64_t output) {
    const Operand& operand = spec_.outputs[static_cast<size_t>(output)];
    const float* values = context.at(operand);
    return std::all_of(values, values + operand.elements(context.n), [](float value) { return std::isfinite(value); });
  });
}

std::vector<StepTime> Program::profile(bool on) {
  std::lock_guard<std::mutex> lock(times_mutex_);
  timing_.store(on);
  std::vector<StepTime> measured = times_;
  if (on) {
    for (StepTime& time : times_) {
      time.seconds = 0;
      time.runs = 0;
    }
  }
  return measured;
}

}  // namespace convlane
