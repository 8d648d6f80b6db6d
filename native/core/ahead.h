// SPDX-License-Identifier: MIT
// Memory that is read after the work at hand, cut into a share for each piece of this, to be fetched into the cache meanwhile.
#pragma once
#include <cstdint>

namespace convlane {

class Ahead {
 public:
  int64_t floats() const { return floats_; }

  // Joined with the stretch before where it follows on it.
  void add(const float* begin, int64_t size) {
    if (size <= 0) return;
    if (count_ > 0 && stretches_[count_ - 1].begin + stretches_[count_ - 1].floats == begin) {
      stretches_[count_ - 1].floats += size;
    } else if (count_ < kMost) {
      stretches_[count_++] = {begin, size};
    } else {
      return;  // enough to be ahead of
    }
    floats_ += size;
  }

  // Where share i of n begins; null behind the last one.
  const float* share(int64_t i, int64_t n) const {
    int64_t at = i * floats_ / n;
    for (int s = 0; s < count_; ++s) {
      if (at < stretches_[s].floats) return stretches_[s].begin + at;
      at -= stretches_[s].floats;
    }
    return nullptr;
  }

 private:
  struct Stretch {
    const float* begin;
    int64_t floats;
  };
  static constexpr int kMost = 64;
  Stretch stretches_[kMost];
  int count_ = 0;
  int64_t floats_ = 0;
};

}  // namespace convlane
