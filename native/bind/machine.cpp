// SPDX-License-Identifier: MIT
#include "machine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "../core/memory.h"
#include "../core/threads.h"
#include "../cpu/dispatch.h"
#include "../cpu/features.h"
#include "guard.h"
#include "read.h"

namespace convlane {
namespace {

constexpr int kMostThreads = 1024;
constexpr uintptr_t kBoundary = 64;  // where a cache line, and an arena, begins

template <class List>
Napi::Value strings(Napi::Env env, const List& list) {
  const Napi::Array array = Napi::Array::New(env, list.size());
  uint32_t i = 0;
  for (const auto& item : list) array.Set(i++, Napi::String::New(env, item));
  return array;
}

Napi::Value isa(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), kernels().name); }
Napi::Value isa_available(const Napi::CallbackInfo& info) { return strings(info.Env(), available()); }
Napi::Value features(const Napi::CallbackInfo& info) { return strings(info.Env(), cpu_features()); }

Napi::Value kernel_info(const Napi::CallbackInfo& info) {
  const Napi::Object object = Napi::Object::New(info.Env());
  const Napi::Array rows = Napi::Array::New(info.Env(), kMaxVectors + 1);
  for (uint32_t i = 0; i <= kMaxVectors; i++) rows.Set(i, kernels().rows_of[i]);
  object.Set("width", kernels().width);
  object.Set("rows", rows);
  object.Set("vectors", kernels().vectors);
  return object;
}

Napi::Value set_thread_count(const Napi::CallbackInfo& info) {
  set_threads(static_cast<int>(read_integer(info[0], "threads", 1, kMostThreads)));
  return info.Env().Undefined();
}
Napi::Value thread_count(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), threads()); }
Napi::Value default_thread_count(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), default_threads()); }

Napi::Value memory(const Napi::CallbackInfo& info) {
  const Napi::Object object = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, MemoryKind kind) { object.Set(name, static_cast<double>(memory_bytes(kind))); };
  set("arenaBytes", MemoryKind::arena);
  set("stateBytes", MemoryKind::state);
  set("stagingBytes", MemoryKind::staging);
  set("scratchBytes", MemoryKind::scratch);
  return object;
}

// Runs work(thread) on threads of its own that start together; returns the sum of what they return, per second of the slowest.
double rate(int count, const std::function<double(int)>& work) {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<double> amounts(static_cast<size_t>(count));
  std::vector<std::thread> workers;
  const auto body = [&](int i) {
    ready.fetch_add(1);
    while (!go.load()) std::this_thread::yield();
    amounts[static_cast<size_t>(i)] = work(i);
  };
  bool refused = false;
  try {
    for (int i = 1; i < count; i++) workers.emplace_back(body, i);
  } catch (const std::system_error&) {
    refused = true;
  }
  while (ready.load() < static_cast<int>(workers.size())) std::this_thread::yield();
  const auto start = std::chrono::steady_clock::now();
  go.store(true);
  if (!refused) amounts[0] = work(0);
  for (std::thread& worker : workers) worker.join();
  if (refused) throw Error("OUT_OF_MEMORY", "cannot start " + std::to_string(count) + " threads");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double sum = 0;
  for (double amount : amounts) sum += amount;
  return sum / seconds;
}

Napi::Value misalignment(const Napi::CallbackInfo& info) {
  const TypedMemory memory = typed_memory(check_typed_array(info[0], "bytes"), Dtype::uint8, "bytes");
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(memory.data) % kBoundary));
}

Napi::Value probe_fma(const Napi::CallbackInfo& info) {
  const double seconds = read_finite(info[0], "seconds");
  if (seconds <= 0 || seconds > 60) throw Error("INVALID_ARGUMENT", "seconds must be more than 0 and at most 60");
  const int count = static_cast<int>(read_integer(info[1], "threads", 1, kMostThreads));
  std::atomic<float> sink{0};
  const double operations = rate(count, [&](int) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    double done = 0;
    float value = 0;
    do done += kernels().probe_fma(10000, &value);
    while (std::chrono::steady_clock::now() < end);
    sink.store(value, std::memory_order_relaxed);
    return done;
  });
  return Napi::Number::New(info.Env(), operations);
}

Napi::Value probe_triad(const Napi::CallbackInfo& info) {
  const int64_t bytes = read_integer(info[0], "bytes", 64, int64_t{1} << 34);
  const int count = static_cast<int>(read_integer(info[1], "threads", 1, kMostThreads));
  if (!info[2].IsUndefined() && !info[2].IsBoolean()) throw Error("INVALID_ARGUMENT", "pastCaches must be a boolean");
  const bool past_caches = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  const auto triad = past_caches ? kernels().probe_triad_past_caches : kernels().probe_triad;
  const int64_t each = bytes / 4 / count / 16 * 16;  // floats of each thread's part of each array
  if (each == 0) throw Error("INVALID_ARGUMENT", "bytes must be at least 64 for each thread");
  const auto part = static_cast<size_t>(each) * sizeof(float);
  std::vector<Buffer> arrays;
  for (int i = 0; i < 3 * count; i++) arrays.emplace_back(part, MemoryKind::scratch);
  const auto pass = [&](int i) {
    Buffer* own = &arrays[static_cast<size_t>(3 * i)];
    triad(own[0].floats(), own[1].floats(), own[2].floats(), 0.5f, each);
  };
  // More threads than this process has share the time of as many as it has: a thousand, each with a few bytes, took half a minute.
  const double share = std::min(1.0, static_cast<double>(default_threads()) / count);
  const double rounds = std::max(1.0, share * double{1 << 26} / static_cast<double>(part));
  const auto stream = [&](int i) {
    for (double round = 0; round < rounds; round++) pass(i);
    return rounds * 3.0 * static_cast<double>(part);
  };
  const auto touch = [&](int i) {  // by the thread that will use it; written, so that the pages are its own
    for (int a = 0; a < 3; a++) std::fill_n(arrays[static_cast<size_t>(3 * i + a)].floats(), each, 1.0f);
    return 0.0;
  };
  rate(count, touch);
  return Napi::Number::New(info.Env(), rate(count, stream));
}

}  // namespace

void add_machine(Napi::Object& exports) {
  add_function<isa>(exports, "isa");
  add_function<isa_available>(exports, "isaAvailable");
  add_function<isa>(exports, "kernelIsa");
  add_function<kernel_info>(exports, "kernelInfo");
  add_function<features>(exports, "cpuFeatures");
  add_function<set_thread_count>(exports, "setThreads");
  add_function<thread_count>(exports, "threads");
  add_function<default_thread_count>(exports, "defaultThreads");
  add_function<memory>(exports, "memory");
  add_function<misalignment>(exports, "misalignment");
  add_function<probe_fma>(exports, "probeFma");
  add_function<probe_triad>(exports, "probeTriad");
}

}  // namespace convlane
