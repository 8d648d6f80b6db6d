// SPDX-License-Identifier: MIT
#include <cstring>

#include "../program/shared_states.h"
#include "../program/verify.h"
#include "guard.h"
#include "objects.h"
#include "read.h"

namespace convlane {
namespace {

class ReadTask : public Task {
 public:
  ReadTask(std::shared_ptr<StateMemory> state, int64_t offset, int64_t length, const MemoryTally& tally)
      : state_(std::move(state)), offset_(offset), length_(length), copy_(bytes(length), MemoryKind::staging, tally) {}

 protected:
  void work(const std::atomic<bool>&) override { state_->read(offset_, length_, copy_.floats()); }
  Napi::Value result(Napi::Env env) override {
    Napi::ArrayBuffer values = Environment::of(env).array_buffer(env, bytes(length_));
    if (length_ > 0) std::memcpy(values.Data(), copy_.bytes(), bytes(length_));
    return Napi::Float32Array::New(env, static_cast<size_t>(length_), values, 0);
  }

 private:
  static size_t bytes(int64_t length) { return static_cast<size_t>(length) * sizeof(float); }

  std::shared_ptr<StateMemory> state_;
  int64_t offset_, length_;
  Buffer copy_;
};

class WriteTask : public Task {
 public:
  WriteTask(std::shared_ptr<StateMemory> state, int64_t offset, TypedMemory values, const MemoryTally& tally)
      : state_(std::move(state)), offset_(offset), length_(values.length),
        copy_(static_cast<size_t>(values.length) * sizeof(float), MemoryKind::staging, tally) {
    if (length_ > 0) std::memcpy(copy_.bytes(), values.data, copy_.size());
  }

 protected:
  void work(const std::atomic<bool>&) override { state_->write(offset_, length_, copy_.floats()); }
  Napi::Value result(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<StateMemory> state_;
  int64_t offset_, length_;
  Buffer copy_;
};

Napi::Value read(const Napi::CallbackInfo& info) {
  StateObject& state = state_of(info.This(), "this");
  const int64_t offset = read_integer(info[0], "offset", 0, state.elements);
  const int64_t length = read_integer(info[1], "length", 0, state.elements - offset);
  Environment& environment = Environment::of(info.Env());
  auto task = std::make_unique<ReadTask>(state.handle->memory(), offset, length, environment.tally());
  return environment.submit(info.Env(), environment.state_lane(), std::move(task));
}

Napi::Value write(const Napi::CallbackInfo& info) {
  StateObject& state = state_of(info.This(), "this");
  const int64_t offset = read_integer(info[0], "offset", 0, state.elements);
  const Napi::TypedArray array = check_typed_array(info[1], "values");
  state_of(info.This(), "this");  // user code may have run
  const TypedMemory values = typed_memory(array, Dtype::float32, "values");
  if (values.length > state.elements - offset) {
    throw Error("INVALID_ARGUMENT", "values: " + std::to_string(values.length) + " elements at offset " + std::to_string(offset) +
                                        " do not fit into the state's " + std::to_string(state.elements));
  }
  Environment& environment = Environment::of(info.Env());
  auto task = std::make_unique<WriteTask>(state.handle->memory(), offset, values, environment.tally());
  return environment.submit(info.Env(), environment.state_lane(), std::move(task));
}

Napi::Value elements(const Napi::CallbackInfo& info) {
  auto* state = static_cast<StateObject*>(Environment::unwrap(info.This(), Class::state));
  if (state == nullptr) throw Error("INVALID_ARGUMENT", "this must be a State");
  return Napi::Number::New(info.Env(), static_cast<double>(state->elements));
}

Napi::Value share(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), share_state(state_of(info.This(), "this").handle->memory()));
}

Napi::Value make(Napi::Env env, std::shared_ptr<StateMemory> memory) {
  Environment& environment = Environment::of(env);
  return environment.make(env, Class::state, std::make_unique<StateObject>(environment.shared_from_this(), std::move(memory)));
}

Napi::Value dispose(const Napi::CallbackInfo& info) {
  auto* state = static_cast<StateObject*>(Environment::unwrap(info.This(), Class::state));
  if (state == nullptr) throw Error("INVALID_ARGUMENT", "this must be a State");
  state->handle->release();
  state->environment->report_memory(info.Env());
  return info.Env().Undefined();
}

}  // namespace

StateObject& state_of(Napi::Value value, const char* what) {
  auto* state = static_cast<StateObject*>(Environment::unwrap(value, Class::state));
  if (state == nullptr) throw Error("INVALID_ARGUMENT", std::string(what) + " must be a State");
  if (!state->handle->memory()) throw Error("DISPOSED", "this state was disposed");
  return *state;
}

void define_state(Napi::Env env) {
  Environment::of(env).define(env, Class::state, "State",
                              {
                                  {"elements", nullptr, nullptr, guarded<elements>, nullptr, nullptr, napi_enumerable, nullptr},
                                  {"read", nullptr, guarded<read>, nullptr, nullptr, nullptr, napi_default, nullptr},
                                  {"write", nullptr, guarded<write>, nullptr, nullptr, nullptr, napi_default, nullptr},
                                  {"share", nullptr, guarded<share>, nullptr, nullptr, nullptr, napi_default, nullptr},
                                  {"dispose", nullptr, guarded<dispose>, nullptr, nullptr, nullptr, napi_default, nullptr},
                              });
}

Napi::Value create_state(const Napi::CallbackInfo& info) {
  const int64_t elements = read_integer(info[0], "elements", 0, kMaxElements);
  return make(info.Env(), std::make_shared<StateMemory>(elements));
}

Napi::Value adopt_state(const Napi::CallbackInfo& info) {
  const std::string id = read_string(info[0], "id");
  if (!is_shared_id(id)) throw Error("INVALID_ARGUMENT", "id must be what share() of a State gave");
  std::shared_ptr<StateMemory> memory = find_shared(id);
  if (!memory) throw Error("DISPOSED", "no state of this process has this id: all that held it have let it go, or it is of another process");
  return make(info.Env(), std::move(memory));
}

}  // namespace convlane
