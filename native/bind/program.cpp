// SPDX-License-Identifier: MIT
#include <cstring>

#include "../program/verify.h"
#include "guard.h"
#include "objects.h"
#include "read.h"

namespace convlane {
namespace {

class ProgramObject : public Wrapped {
 public:
  using Wrapped::Wrapped;
  std::shared_ptr<Program> program;  // null after dispose; runs that are under way hold it too
  std::shared_ptr<StateHandle> state;  // null without a state
  size_t arena_bytes = 0;
};

ProgramObject& object_of(const Napi::CallbackInfo& info) {
  auto* object = static_cast<ProgramObject*>(Environment::unwrap(info.This(), Class::program));
  if (object == nullptr) throw Error("INVALID_ARGUMENT", "this must be a Program");
  return *object;
}

ProgramObject& program_of(const Napi::CallbackInfo& info) {
  ProgramObject& object = object_of(info);
  if (!object.program) throw Error("DISPOSED", "this program was disposed");
  if (object.state && !object.state->memory()) throw Error("DISPOSED", "the program's state was disposed");
  return object;
}

Napi::Value typed_copy(Napi::Env env, const Operand& operand, int64_t n, const void* data) {
  const auto length = static_cast<size_t>(operand.elements(n));
  Napi::ArrayBuffer buffer = Environment::of(env).array_buffer(env, length * 4);
  std::memcpy(buffer.Data(), data, length * 4);
  if (operand.dtype == Dtype::int32) return Napi::Int32Array::New(env, length, buffer, 0);
  return Napi::Float32Array::New(env, length, buffer, 0);
}

class RunTask : public Task {
 public:
  RunTask(std::shared_ptr<Program> program, std::shared_ptr<StateMemory> state, Frame& frame)
      : program_(std::move(program)), state_(std::move(state)), frame_(&frame) {
    frame.busy = true;
  }
  ~RunTask() override { RunTask::finish(); }

 protected:
  void work_before(const std::atomic<bool>& cancelled) override {
    if (!program_->prepare(*frame_, cancelled)) throw Error("ABORTED", "the environment is going down");
  }
  void work(const std::atomic<bool>& cancelled) override {
    if (!program_->run(*frame_, state_.get(), cancelled)) throw Error("ABORTED", "the environment is going down");
  }
  Napi::Value result(Napi::Env env) override {
    const std::vector<Operand>& outputs = program_->spec().outputs;
    const Napi::Array values = Napi::Array::New(env, outputs.size());
    for (uint32_t i = 0; i < outputs.size(); i++) values.Set(i, typed_copy(env, outputs[i], frame_->n, frame_->outputs[i]));
    return values;
  }
  void finish() override {
    if (frame_ != nullptr) frame_->busy = false;
    frame_ = nullptr;  // the next run may have it
  }

 private:
  std::shared_ptr<Program> program_;
  std::shared_ptr<StateMemory> state_;
  Frame* frame_;
};

// What the caller gave for one input.
struct Source {
  Napi::TypedArray data;
  Napi::TypedArray rows;  // empty: the first n rows
};

// No user code may run between the checks here and the copy.
void stage(const Source& source, const Operand& input, int64_t n, char* to, const std::string& what) {
  const TypedMemory data = typed_memory(source.data, input.dtype, what + ".data");
  const size_t bytes = dtype_bytes(input.dtype);
  if (!input.batched) {
    if (!source.rows.IsEmpty()) throw Error("INVALID_ARGUMENT", what + ".rows: this input has no batch");
    if (data.length != input.elements()) {
      throw Error("INVALID_TENSOR", what + ".data has " + std::to_string(data.length) + " elements, expected " + std::to_string(input.elements()));
    }
    std::memcpy(to, data.data, static_cast<size_t>(data.length) * bytes);
    return;
  }
  const int64_t row = input.row_elements(), available = data.length / row;
  if (data.length % row != 0) {
    throw Error("INVALID_TENSOR",
                what + ".data has " + std::to_string(data.length) + " elements, not a whole number of rows of " + std::to_string(row));
  }
  const size_t row_bytes = static_cast<size_t>(row) * bytes;
  if (source.rows.IsEmpty()) {
    if (available < n) throw Error("INVALID_TENSOR", what + ".data has " + std::to_string(available) + " rows, fewer than n = " + std::to_string(n));
    std::memcpy(to, data.data, static_cast<size_t>(n) * row_bytes);
    return;
  }
  const TypedMemory rows = typed_memory(source.rows, Dtype::int32, what + ".rows");
  if (rows.length != n) throw Error("INVALID_TENSOR", what + ".rows has " + std::to_string(rows.length) + " indices, expected n = " + std::to_string(n));
  for (int64_t i = 0; i < n; i++) {
    const int64_t index = static_cast<const int32_t*>(rows.data)[i];
    if (index < 0 || index >= available) {
      throw Error("INVALID_TENSOR", what + ".rows[" + std::to_string(i) + "] is " + std::to_string(index) + ", and there are " +
                                        std::to_string(available) + " rows");
    }
    std::memcpy(to + static_cast<size_t>(i) * row_bytes, static_cast<const char*>(data.data) + static_cast<size_t>(index) * row_bytes, row_bytes);
  }
}

Napi::Value run(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Program> program = program_of(info).program;
  const ProgramSpec& spec = program->spec();
  const Napi::Object options = read_object(info[0], "options");
  const int64_t n = read_integer(options.Get("n"), "n", 1, spec.capacity);
  const Napi::Array inputs = read_array(options.Get("inputs"), "inputs", static_cast<uint32_t>(spec.given));
  std::vector<Source> sources(static_cast<size_t>(spec.given));
  for (uint32_t i = 0; i < sources.size(); i++) {
    const std::string what = "inputs[" + std::to_string(i) + "]";
    const Napi::Object input = read_object(inputs.Get(i), what);
    sources[i].data = check_typed_array(input.Get("data"), what + ".data");
    const Napi::Value rows = input.Get("rows");
    if (!rows.IsUndefined()) sources[i].rows = check_typed_array(rows, what + ".rows");
  }
  std::vector<std::pair<std::string, double>> scalars;
  read_scalars(options.Get("scalars"), program->scalars(), scalars);

  // User code has run for the last time: from here on nothing changes under our hands.
  const ProgramObject& object = program_of(info);
  Environment& environment = Environment::of(info.Env());
  Frame& frame = program->free_frame();
  for (uint32_t i = 0; i < sources.size(); i++) {
    stage(sources[i], spec.inputs[i], n, static_cast<char*>(const_cast<void*>(frame.inputs[i])), "inputs[" + std::to_string(i) + "]");
  }
  frame.n = n;
  frame.scalars.swap(scalars);
  Lane& lane = environment.lane(spec.lane);
  auto task = std::make_unique<RunTask>(program, object.state ? object.state->memory() : nullptr, frame);
  const Napi::Value promise = program->has_preparation() ? environment.submit_prepared(info.Env(), lane, std::move(task))
                                                         : environment.submit(info.Env(), lane, std::move(task));
  environment.report_memory(info.Env());
  return promise;
}

Napi::Value profile(const Napi::CallbackInfo& info) {
  if (!info[0].IsBoolean()) throw Error("INVALID_ARGUMENT", "on must be a boolean");
  const std::vector<StepTime> times = program_of(info).program->profile(info[0].As<Napi::Boolean>().Value());
  const Napi::Array steps = Napi::Array::New(info.Env(), times.size());
  for (uint32_t i = 0; i < times.size(); i++) {
    const Napi::Object step = Napi::Object::New(info.Env());
    step.Set("op", times[i].op);
    step.Set("algorithm", times[i].algorithm);
    step.Set("seconds", times[i].seconds);
    step.Set("runs", static_cast<double>(times[i].runs));
    steps.Set(i, step);
  }
  return steps;
}

Napi::Value arena_bytes(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(object_of(info).arena_bytes)); }

Napi::Value staging_bytes(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Program>& program = object_of(info).program;
  return Napi::Number::New(info.Env(), program ? static_cast<double>(program->staging_bytes()) : 0);
}

Napi::Value prepared_bytes(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Program>& program = object_of(info).program;
  return Napi::Number::New(info.Env(), program ? static_cast<double>(program->prepared_bytes()) : 0);
}

Napi::Value dispose(const Napi::CallbackInfo& info) {
  ProgramObject& object = object_of(info);
  object.program.reset();
  object.state.reset();
  object.environment->report_memory(info.Env());
  return info.Env().Undefined();
}

}  // namespace

void define_program(Napi::Env env) {
  Environment::of(env).define(env, Class::program, "Program",
                              {
                                  {"arenaBytes", nullptr, nullptr, guarded<arena_bytes>, nullptr, nullptr, napi_enumerable, nullptr},
                                  {"stagingBytes", nullptr, nullptr, guarded<staging_bytes>, nullptr, nullptr, napi_enumerable, nullptr},
                                  {"preparedBytes", nullptr, nullptr, guarded<prepared_bytes>, nullptr, nullptr, napi_enumerable, nullptr},
                                  {"run", nullptr, guarded<run>, nullptr, nullptr, nullptr, napi_default, nullptr},
                                  {"profile", nullptr, guarded<profile>, nullptr, nullptr, nullptr, napi_default, nullptr},
                                  {"dispose", nullptr, guarded<dispose>, nullptr, nullptr, nullptr, napi_default, nullptr},
                              });
}

Napi::Value create_program(const Napi::CallbackInfo& info) {
  ProgramSpec spec = read_program(info[0]);
  Environment& environment = Environment::of(info.Env());
  auto object = std::make_unique<ProgramObject>(environment.shared_from_this());
  if (!info[1].IsUndefined()) object->state = state_of(info[1], "state").handle;
  const std::shared_ptr<Arena>& arena = environment.arena(spec.lane);
  object->program = std::make_shared<Program>(std::move(spec), object->state ? object->state->memory().get() : nullptr, arena, environment.tally());
  object->arena_bytes = object->program->arena_bytes();
  return environment.make(info.Env(), Class::program, std::move(object));
}

}  // namespace convlane
