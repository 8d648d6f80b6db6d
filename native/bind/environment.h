// SPDX-License-Identifier: MIT
// What one instance of the addon (one JavaScript environment: the main thread or a worker) owns.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "../core/error.h"
#include "../program/lane.h"
#include "../program/program.h"

namespace convlane {

// A job whose end settles a promise. One that is to be prepared runs twice: on the data lane, then on the lane that it is for.
class Task : public Job {
 public:
  Lane* next = nullptr;  // where it goes from the data lane
  void run(const std::atomic<bool>& cancelled) final;
  void settle(Napi::Env env);
  Napi::Value promise(Napi::Env env);  // once, before submission

 protected:
  virtual void work_before(const std::atomic<bool>&) {}       // on the data lane's thread, where it is prepared
  virtual void work(const std::atomic<bool>& cancelled) = 0;  // on the lane's thread
  virtual Napi::Value result(Napi::Env env) = 0;              // on JavaScript's thread; only when work did not throw
  virtual void finish() {}                                    // on JavaScript's thread, after either

 private:
  napi_deferred deferred_ = nullptr;
  std::optional<Error> error_;
};

enum class Class { state, program };

class Environment;

// Base of the native halves of State and Program objects. Lives until its object is collected; JavaScript's thread only.
class Wrapped {
 public:
  explicit Wrapped(std::shared_ptr<Environment> environment) : environment(std::move(environment)) {}
  virtual ~Wrapped() = default;
  const std::shared_ptr<Environment> environment;
};

class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static void create(Napi::Env env);
  static Environment& of(Napi::Env env);
  ~Environment();

  Lane& lane(LaneKind kind);  // started
  Lane& state_lane();         // of reads and writes of states, so that they wait for locks only
  const std::shared_ptr<Arena>& arena(LaneKind kind) const { return kind == LaneKind::train ? train_arena_ : infer_arena_; }
  const MemoryTally& tally() const { return tally_; }

  Napi::Value submit(Napi::Env env, Lane& lane, std::unique_ptr<Task> task);
  Napi::Value submit_prepared(Napi::Env env, Lane& lane, std::unique_ptr<Task> task);  // by way of the data lane
  void report_memory(Napi::Env env);  // tells V8 what has changed since the last time
  Napi::ArrayBuffer array_buffer(Napi::Env env, size_t bytes);  // zeroed; throws Error("OUT_OF_MEMORY")

  void define(Napi::Env env, Class kind, const char* name, const std::vector<napi_property_descriptor>& properties);
  Napi::Value make(Napi::Env env, Class kind, std::unique_ptr<Wrapped> native);
  // The native half of `value`, or null when it is anything else.
  static Wrapped* unwrap(Napi::Value value, Class kind);

 private:
  explicit Environment(Napi::Env env);
  void completed(std::unique_ptr<Job> job);
  void settle(Napi::Env env);
  void close();
  static napi_value construct(napi_env env, napi_callback_info info);

  const napi_env env_;
  MemoryTally tally_ = std::make_shared<std::atomic<int64_t>>(0);
  int64_t reported_ = 0;
  int64_t low_ = 0;  // least bytes reported since the last full collection that was asked for
  std::shared_ptr<Arena> train_arena_, infer_arena_;
  std::unique_ptr<Wrapped> passing_;  // to the constructor that make() calls
  napi_ref classes_[2] = {};
  napi_ref array_buffer_ = nullptr;  // the constructor

  napi_threadsafe_function wake_ = nullptr;
  int64_t pending_ = 0;  // the event loop is kept alive while there is any
  std::mutex mutex_;
  JobQueue completed_;
  Lane train_, infer_, state_, data_;
};

}  // namespace convlane
