// SPDX-License-Identifier: MIT
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), one counter at a time.
#pragma once
#include <array>
#include <cstdint>

namespace convlane {

using PhiloxWords = std::array<uint32_t, 4>;

inline PhiloxWords philox4x32(PhiloxWords x, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xd2511f53u} * x[0], b = uint64_t{0xcd9e8d57u} * x[2];
    x = {static_cast<uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ x[3] ^ k1, static_cast<uint32_t>(a)};
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return x;
}

// A scalar as a counter of 64 bits; what isn't one (NaN, negative) counts as 0.
inline uint64_t scalar_counter(double value) { return value >= 0 && value < 18446744073709551616.0 ? static_cast<uint64_t>(value) : 0; }

// What augmentation draws for one sample in one stream (docs/steps.md): word j is the same whoever asks for it, and in whatever order.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t step, uint32_t stream, uint32_t sample) : seed_(seed), step_(step), stream_(stream), sample_(sample) {}

  uint32_t word(uint32_t j) {
    if (block_ != j / 4) {
      block_ = j / 4;
      words_ = philox4x32({sample_, 0x80000000u + 64 * stream_ + block_, static_cast<uint32_t>(step_), static_cast<uint32_t>(step_ >> 32)}, seed_);
    }
    return words_[j % 4];
  }
  double unit(uint32_t j) { return word(j) / 4294967296.0; }
  double between(uint32_t j, const double* range) { return range[0] + (range[1] - range[0]) * unit(j); }
  // 0 .. n-1, n at most 2^32
  int64_t below(uint32_t j, int64_t n) { return static_cast<int64_t>(static_cast<double>(n) * unit(j)); }
  bool happens(uint32_t j, double probability) { return word(j) < probability * 4294967296.0; }

 private:
  uint64_t seed_, step_;
  uint32_t stream_, sample_;
  uint32_t block_ = 0xffffffffu;
  PhiloxWords words_{};
};

}  // namespace convlane
