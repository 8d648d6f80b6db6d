// SPDX-License-Identifier: MIT
// Few channels from many, each as a dot product along the channels of a window's pixels: nothing is computed for lanes that the few don't fill.
#pragma once
#include "../cpu/kernel_table.h"
#include "loop.h"

namespace convlane {
namespace {

// Channels of a tile, at most, and its pixels: their sums, the weights of one step and a vector of the many fit the registers.
template <class V>
constexpr int kDotsTogether = V::registers >= 32 ? 4 : 3;
template <class V>
constexpr int few_dots_pixels(int c) {
  constexpr int kSums = 24, kMost = 12;
  const int held = (V::registers - 1 - c) / c, busy = kSums / c;
  const int pixels = held < busy ? held : busy;
  return pixels < kMost ? pixels : kMost;
}

template <class V, int P, int C>
CONVLANE_NOINLINE void few_dots_tile(const FewDotsArgs& g, int64_t first, int64_t channel) {
  V totals[P][C];
  CONVLANE_UNROLL for (int p = 0; p < P; ++p) {
    CONVLANE_UNROLL for (int c = 0; c < C; ++c) totals[p][c] = V::zero();
  }
  const float *from = g.x + first * g.pixel, *next = from + g.ahead;
  for (int64_t s = 0; s < g.stretch_count; ++s) {
    const FewStretch& stretch = g.stretches[s];
    const float *x[P], *w[C];
    CONVLANE_UNROLL for (int p = 0; p < P; ++p) {
      x[p] = from + stretch.at + p * g.pixel;
      CONVLANE_OPAQUE(x[p]);
    }
    CONVLANE_UNROLL for (int c = 0; c < C; ++c) {
      w[c] = g.w + stretch.w_at + (channel + c) * g.w_step;
      CONVLANE_OPAQUE(w[c]);
    }
    for_vectors<V>(stretch.length, [&](int64_t i, auto part) CONVLANE_INLINE_LAMBDA {
      CONVLANE_PREFETCH(next);
      next += 16;
      V wi[C];
      CONVLANE_UNROLL for (int c = 0; c < C; ++c) {
        wi[c] = part.load(w[c] + i);
        keep(wi[c]);
      }
      CONVLANE_UNROLL for (int p = 0; p < P; ++p) {
        V xi = part.load(x[p] + i);
        if constexpr (C > 1) keep(xi);  // else it is loaded with each multiply-add
        CONVLANE_UNROLL for (int c = 0; c < C; ++c) totals[p][c] = fma(xi, wi[c], totals[p][c]);
      }
    });
  }
  constexpr int kFours = (P * C + 3) / 4;
  float results[4 * kFours];
  CONVLANE_UNROLL for (int four = 0; four < kFours; ++four) {
    V together[4];
    CONVLANE_UNROLL for (int i = 0; i < 4; ++i) together[i] = 4 * four + i < P * C ? totals[(4 * four + i) / C % P][(4 * four + i) % C] : V::zero();
    sums(together, results + 4 * four);
  }
  float* y = g.y + first * g.y_step + channel;
  CONVLANE_UNROLL for (int p = 0; p < P; ++p, y += g.y_step) {
    CONVLANE_UNROLL for (int c = 0; c < C; ++c) y[c] = results[p * C + c];
  }
}

// The last tile takes pixels again that the one before has computed: the same values.
template <class V, int C>
void few_dots_of(const FewDotsArgs& g, int64_t channel, int64_t channels) {
  if constexpr (C > 1) {
    if (channels < C) return few_dots_of<V, C - 1>(g, channel, channels);
  }
  constexpr int P = few_dots_pixels<V>(C);
  if (g.count < P) {
    for (int64_t pixel = 0; pixel < g.count; ++pixel) few_dots_tile<V, 1, C>(g, pixel, channel);
    return;
  }
  for (int64_t pixel = 0; pixel < g.count; pixel += P) few_dots_tile<V, P, C>(g, pixel + P <= g.count ? pixel : g.count - P, channel);
}

template <class V>
void few_dots(const FewDotsArgs& g) {
  const int64_t parts = (g.channels + kDotsTogether<V> - 1) / kDotsTogether<V>;
  for (int64_t part = 0, first = 0; part < parts; ++part) {
    const int64_t last = (part + 1) * g.channels / parts;
    few_dots_of<V, kDotsTogether<V>>(g, first, last - first);
    first = last;
  }
}

}  // namespace
}  // namespace convlane
