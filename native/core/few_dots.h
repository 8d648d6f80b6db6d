// SPDX-License-Identifier: MIT
// A convolution's few from its many (few_channels.h), each value as a dot product: around a pixel of the few, the channels of a row of the many's pixels lie
// one behind the other, and so are its weights laid. Products of all terms (ManyToFew) fill whole vectors with the few's terms and gather afterwards.
#pragma once
#include "few_channels.h"

namespace convlane {

class FewDots {
 public:
  // Whether it is the faster way from the many of this geometry to its few.
  static bool pays(const ConvGeometry& geometry);
  // Multiply-adds of whole vectors for an image, and what goes with them in the same unit.
  static double cost(const ConvGeometry& geometry);

  explicit FewDots(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* many, const float* weights, const float* bias, Activation activation, float* few, float* scratch) const;

 private:
  // Positions of an axis of the few that the same taps reach: i · stride + phase - before, for i = first .. last-1, each tap from position i + distance of the
  // many.
  struct Tap {
    int64_t k, distance, number;  // number: of the phase's taps, by distance
  };
  struct Run {
    int64_t phase, first, last;
    std::vector<Tap> taps;  // by distance
  };
  // Runs of both axes, and the stretches of the many that belong to them, from `origin` floats behind the many's pixel (i, j).
  struct Region {
    int64_t h, w;
    int64_t origin;
    std::vector<FewStretch> stretches;
  };
  struct Call;

  static std::vector<Run> runs_of(const Axis& axis);
  int64_t packed_floats() const { return view_.g.h.kernel * view_.g.w.stride * view_.g.c * row_floats_; }
  void pack(const float* terms, float* packed) const;
  void add_region(const Call& call, const Region& region, int64_t image, int64_t begin, int64_t end) const;

  FewChannels view_;
  std::vector<Run> h_, w_;
  std::vector<Region> regions_;
  int64_t row_floats_;  // of the weights of one row of taps, phase and channel
};

}  // namespace convlane
