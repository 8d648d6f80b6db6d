// SPDX-License-Identifier: MIT
#include "threads.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace convlane {
namespace {

constexpr int kSlots = 64;
constexpr int64_t kClosed = 0xffffffff;  // never a chunk: regions have fewer
constexpr auto kWorkerSpin = std::chrono::microseconds(80);
constexpr auto kSubmitterSpin = std::chrono::microseconds(40);

void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// True when the condition came true within the time.
template <class Condition>
bool spin(std::chrono::microseconds limit, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    for (int i = 0; i < 32; i++) {
      if (condition()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

// One region of parallel work. Slots are never freed, so a late worker may look at any of them at any time.
struct alignas(64) Slot {
  // A half of the chunks: generation (high half of the ticket) and next chunk (low half), and the chunk after the last. A chunk belongs to whoever moves
  // the ticket on with a compare-and-swap; what was read of the other fields before then belongs to the same generation, because they change only while
  // the slot is closed under a new generation.
  struct alignas(64) Half {
    std::atomic<uint64_t> ticket{static_cast<uint64_t>(kClosed)};
    std::atomic<int64_t> end{0};
  };
  Half halves[2];
  std::atomic<ChunkFunction> function{nullptr};
  std::atomic<void*> context{nullptr};
  std::atomic<int64_t> chunks{0};
  std::atomic<int64_t> done{0};
  std::atomic<bool> awaited{false};  // the submitter sleeps
  std::mutex mutex;
  std::condition_variable finished;
};

thread_local bool t_inside = false;  // in a chunk: nested calls run serially

struct Inside {
  Inside() { t_inside = true; }
  ~Inside() { t_inside = false; }
};

// Claims and runs chunks of one half until none is left. True when it ran any.
bool work_on(Slot& slot, Slot::Half& half) {
  bool any = false;
  for (;;) {
    uint64_t ticket = half.ticket.load(std::memory_order_acquire);
    const ChunkFunction function = slot.function.load(std::memory_order_acquire);
    void* context = slot.context.load(std::memory_order_acquire);
    const int64_t chunks = slot.chunks.load(std::memory_order_acquire);
    const int64_t next = static_cast<int64_t>(ticket & 0xffffffff);
    if (next >= half.end.load(std::memory_order_acquire)) return any;  // closed counts as past the end
    if (!half.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    {
      Inside inside;
      function(context, next);
    }
    any = true;
    if (slot.done.fetch_add(1) + 1 == chunks && slot.awaited.load()) {
      { std::lock_guard<std::mutex> lock(slot.mutex); }  // the submitter is either before its check or asleep
      slot.finished.notify_all();
    }
  }
}

// The same for both halves, that of `side` first: a thread that works on the same side in each region finds in its own caches what it has computed before.
bool work_on(Slot& slot, int side) {
  const bool any = work_on(slot, slot.halves[side]);
  return work_on(slot, slot.halves[1 - side]) || any;
}

class Pool {
 public:
  // Made on first use and never destroyed: its workers may outlive every static object.
  static Pool& get() {
    static Pool* pool = new Pool;
    return *pool;
  }

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void set_threads(int n) {
    std::lock_guard<std::mutex> lock(mutex_);
    threads_.store(n, std::memory_order_relaxed);
    if (started_) spawn();
    epoch_.fetch_add(1);  // workers that are too many wake up and end
    wake_.notify_all();
  }

  Slot* acquire() {
    uint64_t active = active_.load(std::memory_order_relaxed);
    for (int i = 0; i < kSlots;) {
      const uint64_t bit = uint64_t{1} << i;
      if (active & bit) {
        i++;
      } else if (active_.compare_exchange_weak(active, active | bit, std::memory_order_acq_rel)) {
        return &slots_[i];
      }
    }
    return nullptr;
  }

  void run(Slot& slot, int64_t chunks, ChunkFunction function, void* context) {
    const uint64_t generation = ((slot.halves[0].ticket.load(std::memory_order_relaxed) >> 32) + 1) << 32;
    for (Slot::Half& half : slot.halves) half.ticket.store(generation | static_cast<uint64_t>(kClosed));
    slot.function.store(function, std::memory_order_release);
    slot.context.store(context, std::memory_order_release);
    slot.chunks.store(chunks, std::memory_order_release);
    slot.done.store(0, std::memory_order_release);
    const int64_t middle = (chunks + 1) / 2;
    slot.halves[0].end.store(middle, std::memory_order_release);
    slot.halves[1].end.store(chunks, std::memory_order_release);
    slot.halves[0].ticket.store(generation, std::memory_order_release);
    slot.halves[1].ticket.store(generation | static_cast<uint64_t>(middle), std::memory_order_release);
    announce(chunks - 1);
    work_on(slot, 0);
    await(slot, chunks);
    active_.fetch_and(~(uint64_t{1} << (&slot - slots_)), std::memory_order_release);
  }

 private:
  // Both sides are sequentially consistent: either the worker that falls asleep sees the new epoch, or the submitter sees the sleeper.
  void announce(int64_t helpers) {
    epoch_.fetch_add(1);
    if (started_.load() && sleepers_.load() == 0) return;
    std::lock_guard<std::mutex> lock(mutex_);
    if (!started_.load()) {
      started_.store(true);
      spawn();
    }
    if (helpers >= sleepers_.load()) return wake_.notify_all();
    for (; helpers > 0; helpers--) wake_.notify_one();
  }

  static void await(Slot& slot, int64_t chunks) {
    const auto finished = [&] { return slot.done.load() == chunks; };
    if (spin(kSubmitterSpin, finished)) return;
    std::unique_lock<std::mutex> lock(slot.mutex);
    slot.awaited.store(true);
    slot.finished.wait(lock, finished);
    slot.awaited.store(false);
  }

  // Under mutex_. A thread that the system refuses is one helper less, not an error.
  void spawn() {
    alive_.resize(std::max<size_t>(alive_.size(), threads() - 1));
    try {
      for (int i = 0; i < threads() - 1; i++) {
        if (alive_[i]) continue;
        std::thread([this, i] { work(i); }).detach();
        alive_[i] = true;
      }
    } catch (const std::system_error&) {
    }
  }

  void work(int index) {
    FlushDenormals flush;
    for (;;) {
      const uint64_t seen = epoch_.load();
      uint64_t active = active_.load(std::memory_order_acquire);
      bool any = false;
      for (int i = 0; active != 0 && i < kSlots; i++) {
        if (active >> i & 1) any = work_on(slots_[i], 1 - index % 2) || any;
      }
      if (any && index < threads() - 1) continue;
      if (index < threads() - 1 && spin(kWorkerSpin, [&] { return epoch_.load(std::memory_order_relaxed) != seen; })) continue;
      std::unique_lock<std::mutex> lock(mutex_);
      sleepers_.fetch_add(1);
      wake_.wait(lock, [&] { return epoch_.load() != seen || index >= threads() - 1; });
      sleepers_.fetch_sub(1);
      if (index < threads() - 1) continue;
      alive_[index] = false;
      return;
    }
  }

  Slot slots_[kSlots];
  alignas(64) std::atomic<uint64_t> active_{0};  // slots in use
  alignas(64) std::atomic<uint64_t> epoch_{0};   // counts regions, so that a worker knows whether it missed one
  std::atomic<int64_t> sleepers_{0};
  std::atomic<int> threads_{default_threads()};
  std::atomic<bool> started_{false};
  std::mutex mutex_;  // of the two below and of falling asleep
  std::condition_variable wake_;
  std::vector<bool> alive_;  // by index of worker
};

}  // namespace

void parallel_for(int64_t chunks, ChunkFunction f, void* context) {
  if (chunks <= 0) return;
  Slot* slot = nullptr;
  if (chunks > 1 && chunks < kClosed && !t_inside && Pool::get().threads() > 1) slot = Pool::get().acquire();
  if (slot != nullptr) return Pool::get().run(*slot, chunks, f, context);
  const bool outer = t_inside;
  t_inside = true;
  for (int64_t c = 0; c < chunks; c++) f(context, c);
  t_inside = outer;
}

void set_threads(int n) { Pool::get().set_threads(std::clamp(n, 1, 1024)); }
int threads() { return Pool::get().threads(); }

}  // namespace convlane
