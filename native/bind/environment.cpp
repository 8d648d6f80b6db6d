// SPDX-License-Identifier: MIT
#include "environment.h"

#include <algorithm>
#include <utility>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "guard.h"

namespace convlane {
namespace {

// Of the lanes that a caller awaits step by step: what it takes JavaScript to come back with the next one.
constexpr std::chrono::microseconds kPatience{50};
constexpr int64_t kGrowthBeforeCollection = 8 << 20;
constexpr int64_t kMoreThanAnyHeap = int64_t{1} << 40;

// So that no object of another class, or another addon, is taken for one of ours.
constexpr napi_type_tag kTags[] = {{0x6bd0c4a1f5e94d27, 0x9a3f11c27e5b8d04}, {0x2f86e9137ac14be5, 0xb5d20a6894cf37e1}};

Napi::Value coded_error(Napi::Env env, const char* code, const std::string& message) {
  napi_value error;
  check(env, napi_create_error(env, Napi::String::New(env, code), Napi::String::New(env, message), &error));
  return Napi::Value(env, error);
}

}  // namespace

void Task::run(const std::atomic<bool>& cancelled) {
  if (error_) return;  // of the data lane
  try {
    if (next != nullptr) {
      work_before(cancelled);
    } else {
      work(cancelled);
    }
  } catch (const Error& e) {
    error_ = e;
  } catch (const std::bad_alloc&) {
    error_ = Error("OUT_OF_MEMORY", "out of memory");
  } catch (const std::exception& e) {
    error_ = Error("INTERNAL", e.what());
  }
}

Napi::Value Task::promise(Napi::Env env) {
  napi_value promise;
  check(env, napi_create_promise(env, &deferred_, &promise));
  return Napi::Value(env, promise);
}

void Task::settle(Napi::Env env) {
  Napi::Value value, reason;
  if (error_) {
    reason = coded_error(env, error_->code, error_->what());
  } else {
    try {
      value = result(env);
    } catch (const Napi::Error& e) {
      reason = e.Value();
    } catch (const Error& e) {
      reason = coded_error(env, e.code, e.what());
    }
  }
  finish();
  if (reason.IsEmpty()) {
    napi_resolve_deferred(env, deferred_, value);
  } else {
    napi_reject_deferred(env, deferred_, reason);
  }
}

Environment::Environment(Napi::Env env)
    : env_(env),
      train_arena_(std::make_shared<Arena>(tally_)),
      infer_arena_(std::make_shared<Arena>(tally_)),
      train_([this](std::unique_ptr<Job> job) { completed(std::move(job)); }, kPatience),
      infer_([this](std::unique_ptr<Job> job) { completed(std::move(job)); }, kPatience),
      state_([this](std::unique_ptr<Job> job) { completed(std::move(job)); }),
      data_([](std::unique_ptr<Job> job) {
        Lane* next = std::exchange(static_cast<Task*>(job.get())->next, nullptr);
        next->submit(std::move(job));
      }) {
  const auto call = [](napi_env call_env, napi_value, void* context, void*) {
    if (call_env != nullptr) static_cast<Environment*>(context)->settle(call_env);  // null: the environment is going down
  };
  const Napi::String name = Napi::String::New(env, "convlane");
  check(env, napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, call, &wake_));
  check(env, napi_unref_threadsafe_function(env, wake_));
  check(env, napi_create_reference(env, env.Global().Get("ArrayBuffer"), 1, &array_buffer_));
  // Added after the function above was made, so it runs before that is taken down.
  check(env, napi_add_env_cleanup_hook(env, [](void* self) { static_cast<Environment*>(self)->close(); }, this));
}

// glibc keeps what threads have freed, in heaps of their own that later threads take over one by one: 200 workers, one after the other, left 14 MB.
// One thread at a time: where another allocator stands before glibc's (jemalloc, a sanitizer), the first call sets up glibc's own, without a lock.
Environment::~Environment() {
#if defined(__GLIBC__)
  static std::mutex trimming;
  std::lock_guard<std::mutex> lock(trimming);
  malloc_trim(0);
#endif
}

void Environment::create(Napi::Env env) {
  // Finalizers of objects may run after that of the instance data, so each holds the environment too.
  auto* holder = new std::shared_ptr<Environment>(new Environment(env));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Environment>*>(data); };
  check(env, napi_set_instance_data(env, holder, finalize, nullptr));
}

Environment& Environment::of(Napi::Env env) {
  void* data = nullptr;
  if (napi_get_instance_data(env, &data) != napi_ok || data == nullptr) throw Error("INTERNAL", "the addon is not loaded in this environment");
  return **static_cast<std::shared_ptr<Environment>*>(data);
}

Lane& Environment::lane(LaneKind kind) {
  Lane& lane = kind == LaneKind::train ? train_ : infer_;
  lane.start();
  return lane;
}

Lane& Environment::state_lane() {
  state_.start();
  return state_;
}

Napi::Value Environment::submit(Napi::Env env, Lane& lane, std::unique_ptr<Task> task) {
  const Napi::Value promise = task->promise(env);
  lane.submit(std::move(task));
  if (pending_++ == 0) napi_ref_threadsafe_function(env, wake_);
  return promise;
}

Napi::Value Environment::submit_prepared(Napi::Env env, Lane& lane, std::unique_ptr<Task> task) {
  data_.start();
  task->next = &lane;
  return submit(env, data_, std::move(task));
}

void Environment::completed(std::unique_ptr<Job> job) {
  bool first;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    first = completed_.empty();
    completed_.push(std::move(job));
  }
  if (first) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Environment::settle(Napi::Env env) {
  JobQueue jobs;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    jobs.swap(completed_);
  }
  while (!jobs.empty()) {
    const std::unique_ptr<Job> job = jobs.pop();
    Napi::HandleScope scope(env);
    try {
      static_cast<Task*>(job.get())->settle(env);
    } catch (const Napi::Error&) {  // a worker that is being terminated can make no objects
    }
    if (--pending_ == 0) napi_unref_threadsafe_function(env, wake_);
  }
  report_memory(env);
}

void Environment::close() {
  data_.stop();  // first: it hands its jobs on to the others
  train_.stop();
  infer_.stop();
  state_.stop();
  for (napi_ref reference : classes_) {
    if (reference != nullptr) napi_delete_reference(env_, reference);
  }
  napi_delete_reference(env_, array_buffer_);
}

// Node-API's own function ends the process where there is no memory; JavaScript's constructor throws.
Napi::ArrayBuffer Environment::array_buffer(Napi::Env env, size_t bytes) {
  napi_value constructor, length, buffer;
  check(env, napi_get_reference_value(env, array_buffer_, &constructor));
  check(env, napi_create_double(env, static_cast<double>(bytes), &length));
  const napi_status status = napi_new_instance(env, constructor, 1, &length, &buffer);
  if (status == napi_pending_exception) {
    napi_value thrown;
    check(env, napi_get_and_clear_last_exception(env, &thrown));
    throw Error("OUT_OF_MEMORY", "cannot allocate an ArrayBuffer of " + std::to_string(bytes) + " bytes");
  }
  check(env, status);
  return Napi::ArrayBuffer(env, buffer);
}

void Environment::report_memory(Napi::Env env) {
  const int64_t now = tally_->load(std::memory_order_relaxed);
  if (now == reported_) return;
  int64_t total;
  napi_adjust_external_memory(env, now - reported_, &total);
  reported_ = now;
  low_ = std::min(low_, now);
  // V8 looks for garbage only when external memory has grown by 64 MiB, which is many dropped models. So where bytes have grown by half, and by more
  // than a few models, it is told of more than it may hold for a moment, which makes it collect at once. Growth by a share keeps such collections rare.
  if (now - low_ < std::max(low_ / 2, kGrowthBeforeCollection)) return;
  low_ = now;
  napi_adjust_external_memory(env, kMoreThanAnyHeap, &total);
  napi_adjust_external_memory(env, -kMoreThanAnyHeap, &total);
}

void Environment::define(Napi::Env env, Class kind, const char* name, const std::vector<napi_property_descriptor>& properties) {
  napi_value constructor;
  check(env, napi_define_class(env, name, NAPI_AUTO_LENGTH, construct, nullptr, properties.size(), properties.data(), &constructor));
  check(env, napi_create_reference(env, constructor, 1, &classes_[static_cast<int>(kind)]));
}

Napi::Value Environment::make(Napi::Env env, Class kind, std::unique_ptr<Wrapped> native) {
  napi_value constructor, object;
  check(env, napi_get_reference_value(env, classes_[static_cast<int>(kind)], &constructor));
  passing_ = std::move(native);
  const napi_status status = napi_new_instance(env, constructor, 0, nullptr, &object);
  passing_.reset();
  check(env, status);
  check(env, napi_type_tag_object(env, object, &kTags[static_cast<int>(kind)]));
  report_memory(env);
  return Napi::Value(env, object);
}

napi_value Environment::construct(napi_env env, napi_callback_info info) {
  napi_value self;
  if (napi_get_cb_info(env, info, nullptr, nullptr, &self, nullptr) != napi_ok) return nullptr;
  std::unique_ptr<Wrapped>& passing = of(env).passing_;
  if (!passing) {  // called by user code
    napi_throw_error(env, "INVALID_ARGUMENT", "objects of this class are made by createState, adoptState and createProgram only");
    return nullptr;
  }
  const auto finalize = [](napi_env finalizer_env, void* data, void*) {
    const std::shared_ptr<Environment> environment = static_cast<Wrapped*>(data)->environment;
    delete static_cast<Wrapped*>(data);
    environment->report_memory(finalizer_env);
  };
  if (napi_wrap(env, self, passing.get(), finalize, nullptr, nullptr) == napi_ok) passing.release();
  return self;
}

Wrapped* Environment::unwrap(Napi::Value value, Class kind) {
  bool ours = false;
  void* native = nullptr;
  if (!value.IsObject() || napi_check_object_type_tag(value.Env(), value, &kTags[static_cast<int>(kind)], &ours) != napi_ok || !ours) return nullptr;
  return napi_unwrap(value.Env(), value, &native) == napi_ok ? static_cast<Wrapped*>(native) : nullptr;
}

}  // namespace convlane
