// SPDX-License-Identifier: MIT
// Aligned, counted memory. All native memory that grows with models or batches is a Buffer.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace convlane {

enum class MemoryKind { arena, state, staging, scratch };

// Bytes of one owner (one JavaScript environment), so that its garbage collector can be told.
using MemoryTally = std::shared_ptr<std::atomic<int64_t>>;

size_t memory_bytes(MemoryKind kind);  // of the whole process

// Zeroed memory, 64-byte aligned. Pages are touched on first use only.
class Buffer {
 public:
  Buffer() = default;
  Buffer(size_t bytes, MemoryKind kind, MemoryTally tally = nullptr);  // throws Error("OUT_OF_MEMORY")
  ~Buffer();
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  float* floats() const { return static_cast<float*>(data_); }
  char* bytes() const { return static_cast<char*>(data_); }
  size_t size() const { return size_; }

 private:
  void swap(Buffer& other) noexcept;

  void* block_ = nullptr;
  void* data_ = nullptr;
  size_t size_ = 0;
  MemoryKind kind_ = MemoryKind::scratch;
  MemoryTally tally_;
};

}  // namespace convlane
