// SPDX-License-Identifier: MIT
// Weight gradients of depthwise convolutions with windows of 3 x 3: the sums of all taps in registers, over two lines of dy at a time. A column of x is loaded
// once for all windows of these lines that it lies in; the last columns of dy roll through registers, and are summed up for the bias.
#pragma once
#include <type_traits>

#include "../cpu/kernel_table.h"
#include "depthwise.h"

namespace convlane {
namespace {

template <int L>
using Column = std::integral_constant<int, L>;

// Lines from `line` to `end`, `Lines` of them at a time; `Vectors` vectors of channels from c on. In step q the columns j = 0 .. Stride - 1 of x from
// q * Stride - before on are tap j + l * Stride of the windows of dy's columns q - l.
template <class V, int Vectors, int Stride, int Lines, class Part>
CONVLANE_NOINLINE void depthwise_strip_sums(const DepthwiseStripArgs& g, int64_t line, int64_t end, int64_t c, Part part) {
  constexpr int kRows = (Lines - 1) * Stride + 3, kLive = Stride == 1 ? 3 : 2;
  using Span = std::conditional_t<Vectors == 2, Wide<V>, V>;
  V sums[3][3][Vectors];
  alignas(64) float totals[Vectors * V::width];  // in memory: registers are full
  CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) {
    CONVLANE_UNROLL for (int t = 0; t < 9; ++t) sums[t / 3][t % 3][i] = V::zero();
    V::zero().store(totals + i * V::width);
  }
  // Steps from first to last have all of their columns inside.
  const int64_t inside = (g.before + Stride - 1) / Stride, steps = (g.source + g.before + Stride - 1) / Stride;
  const int64_t first = kLive - 1 > inside ? kLive - 1 : inside;
  const int64_t last = between(first, (g.source + g.before) / Stride, g.target < first ? first : g.target);
  for (; line < end; line += Lines) {
    const float* x[kRows];
    CONVLANE_UNROLL for (int r = 0; r < kRows; ++r) {
      const float* row = g.x[line * Stride + r];
      x[r] = row == nullptr ? nullptr : row + c;
    }
    const float* dy = g.dy + line * g.dy_line + c;
    DepthwiseAhead<Span, Lines * Stride, Stride, false> x_next;
    DepthwiseAhead<Span, Lines, 1, false> dy_next;
    const bool fetches = g.x_next != nullptr;
    CONVLANE_UNROLL for (int r = 0; r < Lines * Stride; ++r) x_next.at[r] = fetches ? g.x_next + (line * Stride + r) * g.x_line + c * g.source : nullptr;
    CONVLANE_UNROLL for (int y = 0; y < Lines; ++y) dy_next.at[y] = fetches ? g.dy_next + (line + y) * g.dy_line + c * g.target : nullptr;

    V d[Lines][kLive][Vectors];  // columns of dy, the newest first
    CONVLANE_UNROLL for (int y = 0; y < Lines; ++y) {
      CONVLANE_UNROLL for (int l = 0; l < kLive; ++l) {
        CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) d[y][l][i] = V::zero();
      }
    }
    auto roll = [&]() CONVLANE_INLINE_LAMBDA {
      CONVLANE_UNROLL for (int y = 0; y < Lines; ++y) {
        CONVLANE_UNROLL for (int l = kLive - 1; l > 0; --l) {
          CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) d[y][l][i] = d[y][l - 1][i];
        }
      }
    };
    auto read = [&](int64_t q) CONVLANE_INLINE_LAMBDA {
      if (fetches) {
        x_next.step(q);
        dy_next.step(q);
      }
      CONVLANE_FORGET(totals);
      CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) {
        V total = V::load(totals + i * V::width);
        CONVLANE_UNROLL for (int y = 0; y < Lines; ++y) {
          d[y][0][i] = part.load(dy + y * g.dy_line + q * g.dy_step + i * V::width);
          total = total + d[y][0][i];
        }
        total.store(totals + i * V::width);
      }
    };
    // Column j of x of a step, with columns From .. To - 1 of dy.
    auto multiply = [&](auto from, auto to, int j, int64_t at) CONVLANE_INLINE_LAMBDA {
      CONVLANE_UNROLL for (int r = 0; r < kRows; ++r) {
        if (x[r] == nullptr) continue;
        CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) {
          V value = part.load(x[r] + at + i * V::width);
          keep(value);
          CONVLANE_UNROLL for (int y = 0; y < Lines; ++y) {
            if (r < y * Stride || r > y * Stride + 2) continue;
            CONVLANE_UNROLL for (int l = decltype(from)::value; l < decltype(to)::value; ++l) {
              if (j + l * Stride > 2) continue;
              V& sum = sums[r - y * Stride][j + l * Stride][i];
              sum = fma(value, d[y][l][i], sum);
            }
          }
        }
      }
    };
    for (int64_t q = 0; q < steps || q < g.target; ++q) {
      if (q == first) {
        for (int64_t at = (q * Stride - g.before) * g.x_step; q < last; ++q, at += Stride * g.x_step) {
          roll();
          read(q);
          CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) multiply(Column<0>{}, Column<kLive>{}, j, at + j * g.x_step);
        }
        if (q >= steps && q >= g.target) break;
      }
      roll();
      if (q < g.target) read(q);
      const bool newest = q < g.target, second = q > 0 && q - 1 < g.target, third = q > 1 && q - 2 < g.target;
      CONVLANE_UNROLL for (int j = 0; j < Stride; ++j) {
        const int64_t column = q * Stride - g.before + j, at = column * g.x_step;
        if (column < 0 || column >= g.source) continue;
        if (Stride == 1 && newest && second && !third) {
          multiply(Column<0>{}, Column<2>{}, j, at);
        } else if (Stride == 1 && !newest && second && third) {
          multiply(Column<1>{}, Column<3>{}, j, at);
        } else {
          if (newest) multiply(Column<0>{}, Column<1>{}, j, at);
          if (second) multiply(Column<1>{}, Column<2>{}, j, at);
          if (Stride == 1 && third) multiply(Column<2>{}, Column<3>{}, j, at);
        }
      }
    }
  }
  float* to = g.sums + c * kDepthwiseStripSums;
  CONVLANE_UNROLL for (int i = 0; i < Vectors; ++i) {
    CONVLANE_UNROLL for (int t = 0; t < 9; ++t, to += V::width) (V::load(to) + sums[t / 3][t % 3][i]).store(to);
    if (g.totals) (V::load(to) + V::load(totals + i * V::width)).store(to);
    to += V::width;
  }
}

template <class V, int Vectors, int Stride, class Part>
void depthwise_strip_lines(const DepthwiseStripArgs& g, int64_t c, Part part) {
  constexpr int kLive = Stride == 1 ? 3 : 2;
  constexpr int kLines = Vectors * (9 + 2 * kLive) + 1 <= V::registers ? 2 : 1;  // the sums, columns of dy, and one of x
  const int64_t together = g.lines / kLines * kLines;
  if (together > 0) depthwise_strip_sums<V, Vectors, Stride, kLines>(g, 0, together, c, part);
  if (together < g.lines) depthwise_strip_sums<V, Vectors, Stride, 1>(g, together, g.lines, c, part);
}

template <class V, int Vectors, class Part>
inline void depthwise_strip_of(const DepthwiseStripArgs& g, int64_t c, Part part) {
  if (g.stride == 1) {
    depthwise_strip_lines<V, Vectors, 1>(g, c, part);
  } else {
    depthwise_strip_lines<V, Vectors, 2>(g, c, part);
  }
}

template <class V>
void depthwise_strip_weights(const DepthwiseStripArgs& g) {
  int64_t c = 0;
  if constexpr (V::registers >= 32) {
    for (; c + 2 * V::width <= g.channels; c += 2 * V::width) depthwise_strip_of<V, 2>(g, c, Whole<V>{});
  }
  for (; c + V::width <= g.channels; c += V::width) depthwise_strip_of<V, 1>(g, c, Whole<V>{});
  if (c < g.channels) depthwise_strip_of<V, 1>(g, c, Rest<V>{static_cast<int>(g.channels - c)});
}

}  // namespace
}  // namespace convlane
