// SPDX-License-Identifier: MIT
#include "memory.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <string>
#include <utility>

#include "error.h"
#include "red_zones.h"
#include "threads.h"

namespace convlane {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugeBytes = size_t{4} << 20;  // from here on in large pages: looking up small ones takes 3 to 7 % of a convolution that goes over 30 MB
std::atomic<size_t> g_bytes[4];

// Freed when its thread ends.
thread_local Buffer t_scratch;
thread_local Buffer t_step_scratch;
constexpr size_t kKeptBytes = size_t{64} << 20;  // of a step's: new pages cost as much as the work on them

// Asks for large pages where the system has them; nothing depends on the answer.
void prefer_huge_pages(void* data, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page, last = (reinterpret_cast<uintptr_t>(data) + bytes) / page * page;
  if (bytes >= kHugeBytes) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#else
  (void)data;
  (void)bytes;
#endif
}

float* grow(Buffer& buffer, size_t floats) {
  if (floats > SIZE_MAX / 16) throw Error("OUT_OF_MEMORY", "cannot allocate " + std::to_string(floats) + " floats");
  if (buffer.size() < floats * sizeof(float)) {
    buffer = Buffer();  // the old one goes first: both need not fit
    buffer = Buffer(floats * sizeof(float), MemoryKind::scratch);
  }
  open_memory(buffer.bytes(), floats * sizeof(float));
  close_memory(buffer.bytes() + floats * sizeof(float), buffer.size() - floats * sizeof(float));  // what was asked for before
  return buffer.floats();
}

}  // namespace

size_t memory_bytes(MemoryKind kind) { return g_bytes[static_cast<int>(kind)].load(std::memory_order_relaxed); }

Buffer::Buffer(size_t bytes, MemoryKind kind, MemoryTally tally) : size_(bytes), kind_(kind), tally_(std::move(tally)) {
  if (bytes == 0) return;
  // calloc, because large blocks come from the system as untouched zero pages.
  block_ = bytes > SIZE_MAX / 2 ? nullptr : std::calloc(bytes + kAlignment, 1);
  if (block_ == nullptr) throw Error("OUT_OF_MEMORY", "cannot allocate " + std::to_string(bytes) + " bytes");
  data_ = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(block_) + kAlignment - 1) & ~static_cast<uintptr_t>(kAlignment - 1));
  prefer_huge_pages(data_, bytes);
  const auto before = static_cast<size_t>(static_cast<char*>(data_) - static_cast<char*>(block_));
  close_memory(block_, before);
  close_memory(static_cast<char*>(data_) + bytes, kAlignment - before);
  g_bytes[static_cast<int>(kind_)].fetch_add(size_, std::memory_order_relaxed);
  if (tally_) tally_->fetch_add(static_cast<int64_t>(size_), std::memory_order_relaxed);
}

Buffer::~Buffer() {
  if (block_ == nullptr) return;
  std::free(block_);
  g_bytes[static_cast<int>(kind_)].fetch_sub(size_, std::memory_order_relaxed);
  if (tally_) tally_->fetch_sub(static_cast<int64_t>(size_), std::memory_order_relaxed);
}

void Buffer::swap(Buffer& other) noexcept {
  std::swap(block_, other.block_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(kind_, other.kind_);
  std::swap(tally_, other.tally_);
}

float* thread_scratch(size_t floats) { return grow(t_scratch, floats); }

StepScratch::StepScratch(size_t floats) : floats_(grow(t_step_scratch, floats)) {}
StepScratch::~StepScratch() {
  if (t_step_scratch.size() > kKeptBytes) t_step_scratch = Buffer();
}

size_t scratch_bytes() { return memory_bytes(MemoryKind::scratch); }

}  // namespace convlane
