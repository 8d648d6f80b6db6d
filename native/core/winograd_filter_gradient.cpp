// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>

#include "ahead.h"
#include "partial_sums.h"
#include "winograd.h"

namespace convlane {

namespace {

constexpr int64_t kLine = 16;              // channels
constexpr int64_t kMostPoints = 64;
constexpr int64_t kChain = 128;            // tiles in the longest chain of sums
constexpr int64_t kHeld = 1 << 18;         // floats of points, of x and dy together, that a round's products read again and again: they stay in L2
constexpr int64_t kTiles = 64;             // in a round at least: each one ends with a pass over dw,
constexpr int64_t kManyTiles = 96;         // which takes longer where dw is large
constexpr int64_t kPanel = 32;             // columns of dw in a chunk, and rows: at most kRows, less where there would be few chunks
constexpr int64_t kRows = 128, kFewRows = 32, kManyChunks = 8;
constexpr int64_t kPartialFloats = 2 << 20;  // of the rounds' own dw, at most
constexpr int64_t kEven = 5;               // rounds to be spread over threads so evenly that at most a sixth of their time is idle
constexpr int64_t kFar = 4 << 20;          // floats of x and dy from which on a round of one thread's own is fetched beforehand
constexpr int64_t kLarge = 512 << 10;      // floats of a dw that would only drive others out of the caches

}  // namespace

// How the work is cut.
struct WinogradFilterGradient::Cuts {
  int64_t round;          // tiles that are transformed before the products begin
  bool once;              // there is one round
  int64_t range, ranges;  // channels of x in a chunk
  int64_t panels;
};

// Points of a round's tiles: point i of channels 16 g .. of tile t at data + g * group + i * step + 16 t.
struct WinogradFilterGradient::Points {
  float *x, *dy;
  int64_t step, group;
};

// What a round needs beside sums: a pixel of zeros, and of each tile its place among the points.
struct WinogradFilterGradient::Room {
  float* zeros;
  int64_t* places;
  Points points;
};

WinogradFilterGradient::WinogradFilterGradient(const ConvGeometry& g, const WinogradKernels& size)
    : size_(size),
      batch_(g.batch),
      x_{TileAxis(g.h.out, size), TileAxis(g.w.out, size), g.h.in, g.w.in, g.c, size.points, false, g.h.before, g.w.before},
      dy_{x_.h, x_.w, g.h.out, g.w.out, g.oc, size.outputs, true},
      order_(x_.h, x_.w),
      c_(g.c),
      oc_(g.oc) {}

WinogradFilterGradient::Cuts WinogradFilterGradient::cut(int64_t tiles) const {
  Cuts cuts;
  cuts.round = divide_up(tiles, divide_up(tiles, most_tiles()));
  cuts.once = cuts.round == tiles;
  cuts.panels = divide_up(oc_, kPanel);
  cuts.ranges = divide_up(c_, std::clamp(c_ * cuts.panels / kManyChunks, kFewRows, kRows));
  cuts.range = round_up(divide_up(c_, cuts.ranges), kLine);
  cuts.ranges = divide_up(c_, cuts.range);
  return cuts;
}

int64_t WinogradFilterGradient::most_tiles() const {
  return std::max(weights() >= kLarge ? kManyTiles : kTiles, kHeld / (points() * (round_up(c_, kLine) + round_up(oc_, kLine))));
}

WinogradFilterGradient::Points WinogradFilterGradient::place(int64_t round, float* at) const {
  const int64_t step = (round | 1) * kLine, group = points() * step + kLine;  // not a power of two apart: points would share cache lines' places
  return {at, at + divide_up(c_, kLine) * group, step, group};
}

double WinogradFilterGradient::cost(int64_t n) const {
  const double products = size_.points < 8 ? 0.93 : 0.87;  // of the peak; more points of fewer tiles lie farther away
  constexpr double kTransform = 10, kTaps = 8;  // of a point of a channel of a tile, and of a point of a filter in a round
  const double images = static_cast<double>(batch_.of(n)), needed = static_cast<double>(dy_.h.points_of_all() * dy_.w.points_of_all());
  const int64_t count = tiles(n);
  const double filters = static_cast<double>(round_up(c_, 4)) * static_cast<double>(round_up(oc_, kernels().width));
  const double transforms = kTransform * static_cast<double>(round_up(c_, kLine) + round_up(oc_, kLine));
  const double rounds = static_cast<double>(divide_up(count, most_tiles()));
  return images * needed * filters / products + static_cast<double>(points()) * (static_cast<double>(count) * transforms + rounds * kTaps * filters);
}

int64_t WinogradFilterGradient::room_floats(int64_t round) const {
  const int64_t lines = divide_up(c_, kLine) + divide_up(oc_, kLine);
  return round_up(std::max(c_, oc_), kLine) + round_up(2 * round, kLine) + lines * place(round, nullptr).group;
}

WinogradFilterGradient::Room WinogradFilterGradient::room(int64_t round, float* memory) const {
  const int64_t widest = round_up(std::max(c_, oc_), kLine);
  std::fill(memory, memory + widest, 0.0f);
  return {memory, reinterpret_cast<int64_t*>(memory + widest), place(round, memory + widest + round_up(2 * round, kLine))};
}

// What one core transforms another one would fetch from its caches, so a thread takes whole rounds where there are enough of them; the bits are the same.
bool WinogradFilterGradient::apart(int64_t rounds) const {
  const int64_t most = divide_up(rounds, threads());  // rounds of a thread
  return threads() > 1 && kEven * most * threads() <= (kEven + 1) * rounds && (rounds - 1) * weights() <= kPartialFloats;
}

int64_t WinogradFilterGradient::scratch_floats(int64_t n) const {
  const int64_t parts = (divide_up(tiles(n), most_tiles()) - 1) * weights();
  return std::max(room_floats(std::min(most_tiles(), tiles(n))), std::min(parts, kPartialFloats));
}

void WinogradFilterGradient::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const int64_t all = tiles(n);
  const Cuts cuts = cut(all);
  const int64_t rounds = divide_up(all, cuts.round), chunks = cuts.ranges * cuts.panels, sums = points() * (cuts.range * kPanel + kLine);
  if (apart(rounds)) {
    parallel_with_scratch(rounds, room_floats(cuts.round) + sums, [&](int64_t round, float* memory) {
      const Room own = room(cuts.round, memory);
      const int64_t first = round * cuts.round, last = std::min(all, first + cuts.round);
      WinogradRange ranges[kMostPoints];
      order_.sort(first, last - first, own.places, ranges);
      const bool fetches = batch_.of(n) * (x_.floats() + dy_.floats()) >= kFar;
      transform(first, last, x, dy, own.zeros, own.places, own.points, fetches && round >= threads());
      Ahead ahead;
      const int64_t next = first + threads() * cuts.round;  // what this thread will take, if the others are as fast
      if (fetches && next < all) look_ahead(x, dy, next, std::min(all, next + cuts.round), ahead);
      float* const part = round == 0 ? dw : scratch + (round - 1) * weights();
      for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        multiply(own.points, ranges, last - first, chunk % cuts.panels, chunk / cuts.panels, cuts, memory + room_floats(cuts.round), part, false, ahead);
      }
    });
    add_parts(scratch, rounds - 1, weights(), dw);
    return;
  }
  const Room shared = room(cuts.round, scratch);
  const int64_t grain = std::max<int64_t>(1, kElementGrain / (points() * (c_ + oc_)));
  for (int64_t first = 0; first < all; first += cuts.round) {
    const int64_t last = std::min(all, first + cuts.round), count = last - first;
    WinogradRange ranges[kMostPoints];
    order_.sort(first, count, shared.places, ranges);
    parallel_blocks(count, grain,
                    [&](int64_t begin, int64_t end) { transform(first + begin, first + end, x, dy, shared.zeros, shared.places + begin, shared.points, first > 0); });
    Ahead ahead;  // what the next round reads: a share with each product
    if (last < all) look_ahead(x, dy, last, std::min(all, last + cuts.round), ahead);
    parallel_with_scratch(chunks, sums, [&](int64_t chunk, float* memory) {
      multiply(shared.points, ranges, count, chunk % cuts.panels, chunk / cuts.panels, cuts, memory, dw, first > 0, ahead);
    });
  }
}

// `near`: what is read has been fetched. Fetching it again takes up to 7 % longer.
void WinogradFilterGradient::transform(int64_t first, int64_t last, const float* x, const float* dy, const float* zeros, const int64_t* places,
                                       const Points& to, bool near) const {
  float* pixels[kMostPoints];
  const int64_t step = near ? 0 : x_.w.most;  // from a tile to its neighbour, mostly
  for (int64_t t = first; t < last; ++t) {
    const int64_t at = places[t - first] * kLine;
    const WinogradNeeds needs = x_.list(x, t, zeros, pixels);
    size_.gradient.x({pixels, c_, step * c_, to.x + at, to.step, to.group, needs});
    dy_.list(dy, t, zeros, pixels);
    size_.gradient.dy({pixels, oc_, step * oc_, to.dy + at, to.step, to.group, needs});
  }
}

void WinogradFilterGradient::look_ahead(const float* x, const float* dy, int64_t first, int64_t last, Ahead& ahead) const {
  const auto add = [&](const float* images, const TileSquares& squares) {
    const int64_t across = squares.w.tiles, down = squares.h.tiles;
    for (int64_t image = first / squares.per_image(); image <= (last - 1) / squares.per_image(); ++image) {
      const int64_t before = image * down, top = std::max<int64_t>(0, first / across - before), bottom = std::min(down - 1, (last - 1) / across - before);
      const int64_t begin = std::max<int64_t>(0, squares.h.span(top).origin - squares.before_h);
      const int64_t end = std::min(squares.height, squares.h.span(bottom).origin - squares.before_h + squares.size);
      ahead.add(images + (image * squares.height + begin) * squares.width * squares.channels, (end - begin) * squares.width * squares.channels);
    }
  };
  add(x, x_);
  add(dy, dy_);
}

// Products of a range of channels with a panel, then the taps that follow.
void WinogradFilterGradient::multiply(const Points& from, const WinogradRange* ranges, int64_t count, int64_t panel, int64_t range, const Cuts& cuts,
                                      float* sums, float* dw, bool accumulate, const Ahead& ahead) const {
  const KernelTable& table = kernels();
  const int64_t channel = range * cuts.range, channels = std::min(cuts.range, c_ - channel);
  const int64_t column = panel * kPanel, columns = std::min(kPanel, oc_ - column);
  const int64_t sum_step = cuts.range * kPanel + kLine;
  WinogradProduct product{};
  product.a_group = product.b_group = from.group;
  product.point_step = from.step;
  product.rows = round_up(channels, 4);
  product.columns = round_up(columns, table.width);
  product.ld = kPanel;
  const int64_t shares = points() * cuts.ranges * cuts.panels, fetched = divide_up(product.rows, 8) * divide_up(columns, kPanel) * count;
  product.next_step = divide_up(ahead.floats(), shares * fetched);
  for (int64_t point = 0; point < points(); ++point) {
    const float* const next = ahead.share((range * cuts.panels + panel) * points() + point, shares);
    product.next = next != nullptr ? next : from.x;
    product.a = from.x + channel / kLine * from.group + point * from.step + ranges[point].first * kLine;
    product.b = from.dy + column / kLine * from.group + point * from.step + ranges[point].first * kLine;
    product.to = sums + point * sum_step;
    product.tiles = ranges[point].count;
    if (product.tiles == 0) {
      std::fill(product.to, product.to + product.rows * kPanel, 0.0f);
      continue;
    }
    product.part = divide_up(product.tiles, divide_up(product.tiles, kChain));
    table.winograd_product(product);
  }
  WinogradTaps taps{};
  taps.from = sums;
  taps.from_step = sum_step;
  taps.from_row = kPanel;
  taps.to = dw + channel * oc_ + column;
  taps.to_step = c_ * oc_;
  taps.to_row = oc_;
  taps.rows = channels;
  taps.columns = columns;
  taps.accumulate = accumulate;
  const bool lines = oc_ % kLine == 0 && reinterpret_cast<uintptr_t>(dw) % 64 == 0;
  taps.stream = lines && cuts.once && weights() >= kLarge;
  size_.gradient.taps(taps);
}

}  // namespace convlane
