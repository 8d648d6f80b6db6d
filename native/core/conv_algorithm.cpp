// SPDX-License-Identifier: MIT
#include "conv_algorithm.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "depthwise_convolution.h"
#include "few_dots.h"
#include "group_packing.h"
#include "winograd.h"

namespace convlane {

namespace {

constexpr ConvAlgorithm kAll[] = {ConvAlgorithm::indirect,  ConvAlgorithm::im2col,    ConvAlgorithm::direct,
                                  ConvAlgorithm::winograd2, ConvAlgorithm::winograd4, ConvAlgorithm::winograd6};

bool direct_fits(const ConvGeometry& g, ConvPass pass) {
  if (g.groups > 1) return depthwise_convolution_fits(g) || grouped_convolution_fits(g);
  if (pass == ConvPass::weight_gradient) return FewChannels::fits(g);
  return FewChannels(g).mirrored == (pass == ConvPass::forward) ? ManyToFew::fits(g) : FewChannels::fits(g);
}

// Folded where that pays. Forward between many channels a product of tap after tap is as fast, with large filters 2 to 10 % faster; the input gradient with ones
// that no cache holds 8 to 15 %. Windows that cover the width alone cost kernels of few channels no more than a product, but for the gradient, to which they leave
// most of the image outside.
ConvGeometry folded(const ConvGeometry& geometry, ConvPass pass) {
  constexpr int64_t kManyChannels = 64, kMostWeights = 32 << 20;
  const ConvGeometry g = geometry.folded();
  const bool pays = pass == ConvPass::input_gradient ? geometry.weights() <= kMostWeights
                    : pass == ConvPass::forward      ? g.dense() && std::min(geometry.c, geometry.oc) < kManyChannels
                                                     : g.dense();
  return pays ? g : geometry;
}

bool can_run(ConvAlgorithm algorithm, const ConvGeometry& g, ConvPass pass) {
  if (algorithm == ConvAlgorithm::direct) return direct_fits(g, pass) || direct_fits(folded(g, pass), pass);
  const int64_t outputs = winograd_outputs(algorithm);
  return outputs == 0 || winograd_kernels(g, outputs) != nullptr;
}

// The share of an axis' taps that lie inside, over all windows.
double share_inside(const Axis& axis) {
  int64_t taps = 0;
  for (int64_t o = 0; o < axis.out; ++o) taps += taps_inside(axis, o).count();
  return static_cast<double>(taps) / static_cast<double>(axis.out * axis.kernel);
}

bool is_narrow(int64_t channels) { return channels <= 2 * kernels().width; }

// Whether so much of the windows lies on padding, which a product leaves out, that its thin tiles are the lesser evil: with one channel from 1 of 7 taps inside
// on downwards, with 8 from 4 of 7, and from half of that where results are narrow, too. Gradients of windows that cover most of an image have as little: 4 x 4
// at 4 x 4 without padding 1 of 16.
bool mostly_padding(const FewChannels& view) {
  constexpr double kHalf = 6;  // channels that make use of half a tile
  const double few = static_cast<double>(view.g.c), share = share_inside(view.g.d) * share_inside(view.g.h) * share_inside(view.g.w);
  return share * (few + kHalf) < (is_narrow(view.g.oc) ? 0.5 : 1) * few;
}

// Where the tiles of a product would be all but empty.
bool direct_pays(const ConvGeometry& g, ConvPass pass) {
  // Channels from which on a product is as fast: runs of taps are long, and of a single tap, where AVX-512's tiles are tall,
  constexpr int64_t kShortRuns = 12, kTallRuns = 4;
  constexpr int64_t kThinTiles = 13, kThinWideTiles = 9;  // tiles of x are high enough for a weight gradient, and for one of more than two vectors,
  constexpr int64_t kFewSums = 4;                         // and those that a single tap computes gather nothing
  constexpr int64_t kLeastBand = 64, kLongRows = 512;     // Pixels of an image, and results of a pixel, with which a single tap pays for its bands: up to 5 times as long
  if (!direct_fits(g, pass)) return false;
  if (g.groups > 1) {
    const bool weights = pass == ConvPass::weight_gradient;
    const GroupPacking packing(g, pass == ConvPass::input_gradient ? Direction::gradient : Direction::forward);
    const int64_t from = packing.lanes().from;
    if (packing.lanes().together > 1 || from < kernels().width / 2) return true;
    return weights ? from < kernels().width : packing.taps() == 3 && g.w.stride == 1;
  }
  const FewChannels view(g);
  const int64_t few = view.g.c;
  // AVX-512's tiles without row pointers have 14 pixels of a line: where lines are long, 12 to 16 channels take 5 to 35 % less. Of images that fill tiles of 8,
  // whose lists are moved from one to the next, a product takes 1 to 6 % less, of others up to 20 % more.
  constexpr int64_t kLongLines = 24, kListed = 8;
  const bool wide = kernels().width == 16, tall = wide && g.taps() > 1 && view.g.w.out >= kLongLines, ragged = wide && view.g.out_pixels() % kListed != 0;
  if (pass == ConvPass::weight_gradient) return g.taps() > 1 && few < (Panels(view.g.oc).width > 2 * kernels().width ? kThinWideTiles : kThinTiles);
  if (view.mirrored == (pass == ConvPass::input_gradient)) {
    if (g.taps() == 1) return few < (wide ? kTallRuns : kShortRuns) && view.g.out_pixels() >= kLeastBand && view.g.oc < kLongRows;
    return (few < kShortRuns || tall || ragged) && !mostly_padding(view);
  }
  if (g.taps() == 1) {
    constexpr double kGain = 1.2;
    const double lanes = static_cast<double>(round_up(few, kernels().width) / kernels().width);
    const double product = static_cast<double>(view.g.out_pixels()) * static_cast<double>(view.g.oc) * lanes;
    if (view.g.out_pixels() == 1) return few < (wide ? kFewSums + 1 : kFewSums);
    return few < kFewSums || (FewDots::pays(g) && kGain * FewDots::cost(g) < product);
  }
  return tall || (ragged && g.w.stride > 1) || 4 * few <= 3 * round_up(few, kernels().width);  // lanes of a vector that the few would fill
}

// Whether Winograd's algorithms may be chosen where nobody asks for one: CONVLANE_WINOGRAD=0 says no.
bool may_use_winograd() {
  static const bool may = [] {
    const char* value = std::getenv("CONVLANE_WINOGRAD");
    return value == nullptr || std::strcmp(value, "0") != 0;
  }();
  return may;
}

// Multiply-adds of an image's tiles, and what goes with them in the same unit: measured on AVX-512, about the same share elsewhere.
double winograd_cost(const ConvGeometry& g, ConvPass pass, const WinogradKernels& size) {
  if (pass == ConvPass::weight_gradient) return WinogradFilterGradient(g, size).cost(g.batch.capacity) / static_cast<double>(g.batch.capacity);
  constexpr double kTransform = 10;    // of a point of a channel of a tile
  constexpr double kFilters = 9, kImages = 8;  // of a point of a filter; images that share the transformed filters: forward, a sample has the same bits in any batch
  const bool forward = pass == ConvPass::forward;
  const double images = forward ? kImages : static_cast<double>(g.batch.capacity);
  const TileAxis h(forward ? g.h.out : g.h.in, size), w(forward ? g.w.out : g.w.in, size);
  const double c = static_cast<double>(g.c), oc = static_cast<double>(g.oc), tiles = static_cast<double>(h.tiles * w.tiles);
  const double products = static_cast<double>(h.points_of_all() * w.points_of_all()) * c * oc / 0.95;
  return products + static_cast<double>(size.points * size.points) * (tiles * kTransform * (c + oc) + c * oc * kFilters / images);
}

// The cheapest of Winograd's algorithms that costs less than `limit`, else `other`.
ConvAlgorithm cheapest_winograd(const ConvGeometry& g, ConvPass pass, double limit, ConvAlgorithm other) {
  double least = limit;
  ConvAlgorithm best = other;
  for (ConvAlgorithm algorithm : {ConvAlgorithm::winograd2, ConvAlgorithm::winograd4, ConvAlgorithm::winograd6}) {
    const WinogradKernels* size = winograd_kernels(g, winograd_outputs(algorithm));
    if (size == nullptr) continue;
    const double cost = winograd_cost(g, pass, *size);
    if (cost < least) {
      least = cost;
      best = algorithm;
    }
  }
  return best;
}

// The multiply-adds of `direct` that Winograd's algorithms may cost at most.
double winograd_limit(const ConvGeometry& g, ConvPass pass, ConvAlgorithm direct) {
  constexpr double kClearly = 0.85;
  constexpr double kNoPadding = 1.5;  // where no pixel is added, a window of the gradient lies half outside: what is left out there has its price
  constexpr int64_t kFew = 8;         // channels: fewer make thin tiles there, too
  if (pass == ConvPass::forward || std::min(g.c, g.oc) < kFew) return kClearly;
  if (pass == ConvPass::input_gradient) return g.h.in > g.h.out ? kNoPadding : 1;
  // A direct weight gradient multiplies whole vectors of the many with 50 to 60 % of the limit where the others are few: any saving pays.
  const int64_t many = std::max(g.c, g.oc);
  return direct == ConvAlgorithm::direct ? static_cast<double>(round_up(many, kernels().width)) / static_cast<double>(many) : kClearly;
}

// The cheapest of Winograd's algorithms where one is cheap enough, else `direct`.
ConvAlgorithm or_winograd(const ConvGeometry& g, ConvPass pass, ConvAlgorithm direct) {
  // Channels. 3 x 3 between 4 or 5 and 64 takes half to nine tenths of the time directly (Xeon, all passes), 5 x 5 up to a third more.
  const int64_t fewest = g.h.kernel > 3 ? 4 : 6;
  constexpr double kWork = 1 << 16;    // multiply-adds of an image: below, it takes a microsecond or two, which is not worth a less exact sum
  const double work = static_cast<double>(g.out_pixels() * g.taps()) * static_cast<double>(g.c) * static_cast<double>(g.oc);
  if (std::min(g.c, g.oc) < fewest || work < kWork) return direct;
  return cheapest_winograd(g, pass, winograd_limit(g, pass, direct) * work, direct);
}

// Whether an input gradient has few filters, a narrow result and hardly more than one window in an image: what a product of all taps adds up is little then.
bool few_windows(const ConvGeometry& g) {
  if (!is_narrow(g.c) || g.in_pixels() == g.out_pixels() || !direct_fits(g, ConvPass::input_gradient)) return false;
  const FewChannels view(g);
  return view.mirrored && mostly_padding(view);
}

// Few channels make thin tiles in the gradients: copied patches have as many columns (input) or rows (weights) as there are taps x channels.
ConvAlgorithm default_algorithm(const ConvGeometry& geometry, ConvPass pass, bool winograd = may_use_winograd()) {
  constexpr int64_t kNarrow = 32;  // columns of a tile below which the kernel can't hide a row's loads
  const ConvGeometry g = folded(geometry, pass);
  const bool direct = direct_pays(g, pass), few = !direct && g.groups == 1 && g.taps() > 1;
  const bool copied = pass == ConvPass::input_gradient    ? few && (g.c <= kernels().width / 2 || few_windows(g))
                      : pass == ConvPass::weight_gradient ? few && g.c < 4 && Panels(g.oc).width < kNarrow
                                                          : false;
  if (copied) return ConvAlgorithm::im2col;
  const ConvAlgorithm otherwise = direct ? ConvAlgorithm::direct : ConvAlgorithm::indirect;
  return winograd ? or_winograd(g, pass, otherwise) : otherwise;
}

}  // namespace

const char* algorithm_name(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::im2col: return "im2col";
    case ConvAlgorithm::direct: return "direct";
    case ConvAlgorithm::winograd2: return "winograd2";
    case ConvAlgorithm::winograd4: return "winograd4";
    case ConvAlgorithm::winograd6: return "winograd6";
    default: return "indirect";
  }
}

int64_t winograd_outputs(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::winograd2: return 2;
    case ConvAlgorithm::winograd4: return 4;
    case ConvAlgorithm::winograd6: return 6;
    default: return 0;
  }
}

ConvGeometry geometry_for(ConvAlgorithm algorithm, const ConvGeometry& geometry, ConvPass pass) {
  const ConvGeometry g = folded(geometry, pass);
  const bool unfolded = winograd_outputs(algorithm) > 0 || (algorithm == ConvAlgorithm::direct && !direct_fits(g, pass));
  return unfolded ? geometry : g;
}

std::vector<std::string> conv_algorithms(const ConvGeometry& geometry, ConvPass pass) {
  const ConvAlgorithm first = default_algorithm(geometry, pass);
  std::vector<std::string> names{algorithm_name(first)};
  for (ConvAlgorithm algorithm : kAll) {
    if (algorithm != first && can_run(algorithm, geometry, pass)) names.push_back(algorithm_name(algorithm));
  }
  return names;
}

ConvAlgorithm conv_algorithm(const StepSpec& spec, const ConvGeometry& geometry, ConvPass pass) {
  const std::string name = spec.string("algorithm", "auto");
  if (name == "auto") return default_algorithm(geometry, pass);
  if (name == "noWinograd") return default_algorithm(geometry, pass, false);
  const char* const winograd_needs = " needs two axes, one group, stride and dilation 1 and a window of 3 x 3 or, but for winograd6, 5 x 5";
  if (name == "winograd") {
    const ConvAlgorithm cheapest = cheapest_winograd(geometry, pass, std::numeric_limits<double>::infinity(), ConvAlgorithm::indirect);
    if (winograd_outputs(cheapest) > 0) return cheapest;
    refuse(spec, "algorithm " + name + winograd_needs);
  }
  for (ConvAlgorithm algorithm : kAll) {
    if (name != algorithm_name(algorithm)) continue;
    if (can_run(algorithm, geometry, pass)) return algorithm;
    if (algorithm == ConvAlgorithm::direct) {
      refuse(spec, "algorithm direct needs at most 32 channels in each group; without groups, at most 16 on one side, stride 1 where these are the filters, and a "
                   "window of depth 1 where these are what is computed");
    }
    refuse(spec, "algorithm " + name + winograd_needs);
  }
  refuse(spec, "algorithm must be auto, noWinograd, indirect, im2col, direct, winograd, winograd2, winograd4 or winograd6, got " + name);
}

}  // namespace convlane
