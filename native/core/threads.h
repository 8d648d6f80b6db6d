// SPDX-License-Identifier: MIT
// One pool of threads for the whole process.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace convlane {

using ChunkFunction = void (*)(void* context, int64_t chunk);

// Calls f(context, c) once for each c in 0 .. chunks-1, on the calling thread and on idle workers; returns when all are done.
// Chunks are claimed one by one: by the caller, and every other worker, from the first on, by the rest from the middle on, each half in rising order, and
// whoever has finished one helps with the other. So a thread meets in its own caches what it computed in the region before.
// The caller never waits for a worker that has not claimed a chunk, so progress needs no free worker.
// What a chunk computes must not depend on who runs it. f must not throw. Nested calls run on the calling thread.
void parallel_for(int64_t chunks, ChunkFunction f, void* context);

template <class F>
void parallel_for(int64_t chunks, F&& f) {
  parallel_for(chunks, [](void* context, int64_t chunk) { (*static_cast<std::remove_reference_t<F>*>(context))(chunk); }, const_cast<void*>(static_cast<const void*>(&f)));
}

void set_threads(int n);     // 1 .. 1024, the calling thread included
int threads();
// CPUs of the affinity mask, at most the cgroup's quota rounded up; or what CONVLANE_THREADS says. Throws Error("INVALID_ARGUMENT") when that is no number of threads.
int default_threads();

// Memory of the calling thread for packing, 64-byte aligned, valid until the next call on this thread; grows, is kept, is counted.
// Not zeroed. Throws Error("OUT_OF_MEMORY"); so call it where an exception may leave, or reserve before with the same size.
float* thread_scratch(size_t floats);
size_t scratch_bytes();      // over all threads

// Memory of one step that runs on its own, otherwise as thread_scratch: kept for the next one where it isn't large. One at a time on a thread.
class StepScratch {
 public:
  explicit StepScratch(size_t floats);
  ~StepScratch();
  StepScratch(const StepScratch&) = delete;
  float* floats() const { return floats_; }

 private:
  float* floats_;
};

// Sets flush-to-zero and denormals-are-zero on this thread for the lifetime of the object.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
 private:
  uint64_t saved_;
};

}  // namespace convlane
