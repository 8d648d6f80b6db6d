// SPDX-License-Identifier: MIT
// Ways to cut work for parallel_for. Cuts follow from sizes alone, so that results don't depend on threads.
#pragma once
#include <algorithm>
#include <atomic>

#include "error.h"
#include "threads.h"

namespace convlane {

constexpr int64_t kElementGrain = 16384;  // elements of a memory-bound loop in one chunk: 64 KiB an operand
constexpr double kChunkWork = 65536;      // least multiply-adds worth a chunk of its own: about 1 us
constexpr int64_t kChunks = 32;           // chunks of a big piece of work: enough to even out a busy core

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

// Chunks for `work` multiply-adds: 1 to kChunks.
inline int64_t chunks_for(double work) { return static_cast<int64_t>(std::clamp(work / kChunkWork, 1.0, static_cast<double>(kChunks))); }

// f(begin, end) over stretches of `grain` of 0 .. count-1.
template <class F>
void parallel_blocks(int64_t count, int64_t grain, F&& f) {
  const int64_t chunks = divide_up(count, grain);
  auto body = [&](int64_t chunk) { f(chunk * grain, std::min(count, (chunk + 1) * grain)); };
  if (chunks == 1) {
    body(0);
  } else if (chunks > 1) {
    parallel_for(chunks, body);
  }
}

// f(chunk, memory) with `floats` of the running thread's scratch memory. OUT_OF_MEMORY of any thread leaves from here, when all chunks are done.
template <class F>
void parallel_with_scratch(int64_t chunks, int64_t floats, F&& f) {
  std::atomic<bool> failed{false};
  auto body = [&](int64_t chunk) {
    float* memory = nullptr;
    try {
      memory = thread_scratch(static_cast<size_t>(floats));
    } catch (const Error&) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    f(chunk, memory);
  };
  if (chunks == 1) {
    body(0);
  } else if (chunks > 1) {
    parallel_for(chunks, body);
  }
  if (failed.load(std::memory_order_relaxed)) throw Error("OUT_OF_MEMORY", "no memory for packing");
}

}  // namespace convlane
