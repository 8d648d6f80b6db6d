// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>

#include "winograd.h"

namespace convlane {

namespace {

constexpr int64_t kLine = 16;              // channels
constexpr int64_t kMostPoints = 64;
constexpr int64_t kChain = 128;            // tiles in the longest chain of sums
constexpr int64_t kHeld = 512 << 10;       // floats of points, of x and dy together, that a round's products read again and again
constexpr int64_t kTiles = 64;             // in a round at least: each one ends with a pass over dw,
constexpr int64_t kManyTiles = 96;         // which takes longer where dw is large
constexpr int64_t kPanel = 32;             // columns of dw in a chunk, and rows: at most kRows, less where there would be few chunks
constexpr int64_t kRows = 128, kFewRows = 32, kManyChunks = 8;
constexpr int64_t kLarge = 512 << 10;      // floats of a dw that would only drive others out of the caches

}  // namespace

// The images of a batch side by side in one plane, R x Q of them `period` apart along each axis, cut into tiles: what lies between two images belongs to
// both. Or, where tiles fit the images, every image cut by itself: one column of images, period 0.
struct WinogradFilterGradient::Tiles {
  struct Strip {
    int64_t images, period, tiles;

    // Where the `count` positions from `first` on of a tile of one axis are: the image and the position in it, -1 outside of 0 .. limit - 1.
    void list(int64_t tile, int64_t of_image, int64_t step, int64_t before, int64_t count, int64_t limit, int64_t* image, int64_t* position) const {
      int64_t i, at;
      if (period == 0) {
        i = tile / of_image;
        at = tile % of_image * step - before;
      } else {
        const int64_t plane = tile * step + (period - before);  // never negative
        i = plane / period - 1;
        at = plane % period;
      }
      for (int64_t k = 0; k < count; ++k, ++at) {
        if (period > 0 && at == period) {
          at = 0;
          ++i;
        }
        image[k] = i;
        position[k] = i >= 0 && i < images && at >= 0 && at < limit ? at : -1;
      }
    }
  };
  int64_t images;
  Strip down, across;
  int64_t down_of_image, across_of_image;

  int64_t count() const { return down.tiles * across.tiles; }
};

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

// Memory that a round reads, to be fetched into the cache during the products of the round before, a share with each.
struct WinogradFilterGradient::Ahead {
  struct Stretch {
    const float* begin;
    int64_t floats;
  };
  static constexpr int kMost = 64;
  Stretch stretches[kMost];
  int count = 0;
  int64_t floats = 0;

  void add(const float* begin, int64_t size) {
    if (size <= 0) return;
    if (count > 0 && stretches[count - 1].begin + stretches[count - 1].floats == begin) {
      stretches[count - 1].floats += size;
    } else if (count < kMost) {
      stretches[count++] = {begin, size};
    } else {
      return;  // enough to be ahead of
    }
    floats += size;
  }
  // Where share i of n begins.
  const float* share(int64_t i, int64_t n, const float* none) const {
    int64_t at = i * floats / n;
    for (int s = 0; s < count; ++s) {
      if (at < stretches[s].floats) return stretches[s].begin + at;
      at -= stretches[s].floats;
    }
    return none;
  }
};

WinogradFilterGradient::WinogradFilterGradient(const ConvGeometry& g, const WinogradKernels& size)
    : size_(size), batch_(g.batch), h_(g.h), w_(g.w), c_(g.c), oc_(g.oc) {}

WinogradFilterGradient::Tiles WinogradFilterGradient::tiles(int64_t n) const {
  constexpr int64_t kMostAcross = 32;
  const int64_t m = size_.outputs, rows = divide_up(h_.out, m), columns = divide_up(w_.out, m);
  Tiles best{n, {n, 0, n * rows}, {1, 0, columns}, rows, columns};
  const auto period = [](const Axis& axis) { return std::max(axis.in + std::max(axis.before, axis.after), axis.out); };
  const int64_t high = period(h_), wide = period(w_);
  for (int64_t q = 1; q <= std::min(n, kMostAcross); ++q) {
    const int64_t r = divide_up(n, q);
    const Tiles::Strip down{r, high, divide_up((r - 1) * high + h_.out, m)}, across{q, wide, divide_up((q - 1) * wide + w_.out, m)};
    if (down.tiles * across.tiles < best.count()) best = {n, down, across, rows, columns};
  }
  return best;
}

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
  const int64_t count = tiles(batch_.of(n)).count();
  const double filters = static_cast<double>(round_up(c_, 4)) * static_cast<double>(round_up(oc_, kernels().width));
  const double transforms = kTransform * static_cast<double>(round_up(c_, kLine) + round_up(oc_, kLine));
  const double rounds = static_cast<double>(divide_up(count, most_tiles()));
  return static_cast<double>(points()) * (static_cast<double>(count) * (filters / products + transforms) + rounds * kTaps * filters);
}

int64_t WinogradFilterGradient::scratch_floats(int64_t n) const {
  const int64_t lines = divide_up(c_, kLine) + divide_up(oc_, kLine);
  return round_up(std::max(c_, oc_), kLine) + lines * place(std::min(most_tiles(), tiles(batch_.of(n)).count()), nullptr).group;
}

void WinogradFilterGradient::run(int64_t n, const float* x, const float* dy, float* dw, float* scratch) const {
  const Tiles all = tiles(batch_.of(n));
  const Cuts cuts = cut(all.count());
  const int64_t widest = round_up(std::max(c_, oc_), kLine);
  std::fill(scratch, scratch + widest, 0.0f);
  const Points held = place(cuts.round, scratch + widest);
  const int64_t grain = std::max<int64_t>(1, kElementGrain / (points() * (c_ + oc_)));
  const int64_t sums = points() * (cuts.range * kPanel + kLine);
  for (int64_t first = 0; first < all.count(); first += cuts.round) {
    const int64_t last = std::min(all.count(), first + cuts.round);
    parallel_blocks(last - first, grain, [&](int64_t begin, int64_t end) { transform(all, x, dy, scratch, first + begin, first + end, held, begin); });
    Ahead ahead;
    if (last < all.count()) look_ahead(all, x, dy, last, std::min(all.count(), last + cuts.round), ahead);
    parallel_with_scratch(cuts.ranges * cuts.panels, sums, [&](int64_t chunk, float* memory) {
      multiply(held, last - first, chunk % cuts.panels, chunk / cuts.panels, cuts, memory, dw, first > 0, ahead);
    });
  }
}

void WinogradFilterGradient::transform(const Tiles& tiles, const float* x, const float* dy, const float* zeros, int64_t first, int64_t last,
                                       const Points& to, int64_t at) const {
  const float* pixels[kMostPoints];
  int64_t row_image[8], row[8], column_image[8], column[8];
  const auto list = [&](const float* images, int64_t tile, const Axis& h, const Axis& w, bool of_x, int64_t size, int64_t channels) {
    const int64_t m = size_.outputs, height = of_x ? h.in : h.out, width = of_x ? w.in : w.out;
    tiles.down.list(tile / tiles.across.tiles, tiles.down_of_image, m, of_x ? h.before : 0, size, height, row_image, row);
    tiles.across.list(tile % tiles.across.tiles, tiles.across_of_image, m, of_x ? w.before : 0, size, width, column_image, column);
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t j = 0; j < size; ++j) {
        const int64_t image = row_image[i] * tiles.across.images + column_image[j];
        const bool inside = row[i] >= 0 && column[j] >= 0 && image < tiles.images;
        pixels[i * size + j] = inside ? images + ((image * height + row[i]) * width + column[j]) * channels : zeros;
      }
    }
  };
  for (int64_t t = first; t < last; ++t, ++at) {
    list(x, t, h_, w_, true, size_.points, c_);
    size_.gradient.x({pixels, c_, size_.outputs * c_, to.x + at * kLine, to.step, to.group});
    list(dy, t, h_, w_, false, size_.outputs, oc_);
    size_.gradient.dy({pixels, oc_, size_.outputs * oc_, to.dy + at * kLine, to.step, to.group});
  }
}

void WinogradFilterGradient::look_ahead(const Tiles& tiles, const float* x, const float* dy, int64_t first, int64_t last, Ahead& ahead) const {
  const auto add = [&](const float* images, const Axis& h, const Axis& w, bool of_x, int64_t size, int64_t channels) {
    const int64_t m = size_.outputs, height = of_x ? h.in : h.out, width = of_x ? w.in : w.out, before = of_x ? h.before : 0;
    const int64_t top = first / tiles.across.tiles, bottom = (last - 1) / tiles.across.tiles;
    const int64_t period = tiles.down.period > 0 ? tiles.down.period : tiles.down_of_image * m;
    const int64_t from = std::max<int64_t>(0, top * m - before), to = bottom * m - before + size;  // rows of the plane
    for (int64_t i = from / period; i * period < to; ++i) {
      const int64_t begin = std::max<int64_t>(0, from - i * period), end = std::min(height, to - i * period);
      for (int64_t q = 0; q < tiles.across.images; ++q) {
        const int64_t image = i * tiles.across.images + q;
        if (image < tiles.images) ahead.add(images + (image * height + begin) * width * channels, (end - begin) * width * channels);
      }
    }
  };
  add(x, h_, w_, true, size_.points, c_);
  add(dy, h_, w_, false, size_.outputs, oc_);
}

// Products of a range of channels with a panel, then the taps that follow.
void WinogradFilterGradient::multiply(const Points& from, int64_t count, int64_t panel, int64_t range, const Cuts& cuts, float* sums, float* dw,
                                      bool accumulate, const Ahead& ahead) const {
  const KernelTable& table = kernels();
  const int64_t channel = range * cuts.range, channels = std::min(cuts.range, c_ - channel);
  const int64_t column = panel * kPanel, columns = std::min(kPanel, oc_ - column);
  const int64_t sum_step = cuts.range * kPanel + kLine;
  WinogradProduct product{};
  product.a_group = product.b_group = from.group;
  product.tiles = count;
  product.part = divide_up(count, divide_up(count, kChain));
  product.rows = round_up(channels, 4);
  product.columns = round_up(columns, table.width);
  product.ld = kPanel;
  const int64_t shares = points() * cuts.ranges * cuts.panels, fetched = divide_up(product.rows, 8) * divide_up(columns, kPanel) * count;
  product.next_step = divide_up(ahead.floats, shares * fetched);
  for (int64_t point = 0; point < points(); ++point) {
    product.next = ahead.share((range * cuts.panels + panel) * points() + point, shares, from.x);
    product.a = from.x + channel / kLine * from.group + point * from.step;
    product.b = from.dy + column / kLine * from.group + point * from.step;
    product.to = sums + point * sum_step;
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
