// SPDX-License-Identifier: MIT
// Convolutions of one group with few channels on one side, the first and the last ones of a network. A vector holds channels of the other side, the "many";
// the side of the few is copied into memory with its padding, band by band, where each tap of each channel (a term) is a fixed distance from its pixel.
#pragma once
#include <vector>

#include "geometry.h"
#include "panels.h"

namespace convlane {

constexpr int64_t kFewChannels = 16;
constexpr int64_t kBandPixels = 1024;  // most pixels of a band

// A convolution with `c` few and `oc` many channels. One with few filters, and stride 1, is the same seen from its other side: mirrored, positions of the
// window turned round, `before` possibly negative.
struct FewChannels {
  ConvGeometry g;
  bool mirrored = false;

  static bool fits(const ConvGeometry& geometry);
  explicit FewChannels(const ConvGeometry& geometry);

  int64_t terms() const { return g.taps() * g.c; }
  // The weights as [term][many] from HWIO and back.
  void to_terms(const float* weights, float* terms) const;
  void from_terms(const float* terms, float* weights) const;
};

struct BandSizes {
  int64_t columns, lines;    // of the many
  int64_t rows, row_floats;  // of the few, padding included

  BandSizes(const ConvGeometry& g, int64_t pixels);
};

// How the pixels of the many are cut into bands, and where the terms of each lie in the padded copy of what it reads of the few.
class FewBands {
 public:
  FewBands(const ConvGeometry& g, int64_t pixels);  // at most so many a band

  struct Band {
    int64_t first, pixels;  // of the many
  };
  int64_t count(int64_t n) const { return n * g_.d.out * bands_h_ * bands_w_; }
  int64_t floats() const { return round_up(planes() * size_.rows * size_.row_floats, 16); }
  // What a band of an image of one plane reads of the few where bands are whole lines; else nothing.
  struct Stretch {
    const float* first;
    int64_t floats;
  };
  Stretch source(int64_t number, const float* few) const;
  Band copy(int64_t number, const float* few, float* to, bool again) const;  // again: `to` holds another band of these
  // As many pixels from one on, in whole lines, as have the same terms: the other ones lie above or below the image.
  struct Alike {
    int64_t pixels, first_term, terms;
  };
  Alike alike(int64_t number, int64_t first, int64_t pixels) const;

  const int32_t* pixels() const { return pixels_.data(); }
  const int32_t* terms() const { return terms_.data(); }

 private:
  int64_t planes() const { return g_.d.kernel; }

  ConvGeometry g_;
  BandSizes size_;
  int64_t bands_w_, bands_h_;
  std::vector<int32_t> pixels_, terms_;
};

// many[pixel] = act(sum over terms of few · weights + bias): the forward pass, and the input gradient where mirrored.
class FewToMany {
 public:
  explicit FewToMany(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* few, const float* weights, const float* bias, Activation activation, float* many, float* scratch) const;

 private:
  bool packs() const;

  FewChannels view_;
  FewBands bands_;
  Panels panels_;
};

// few[pixel] = act(sum over terms and many channels + bias): the input gradient, and the forward pass where mirrored. All terms of a pixel of the many are
// one row of a matrix product; each line of the few then gathers what belongs to it.
class ManyToFew {
 public:
  static bool fits(const ConvGeometry& geometry);
  explicit ManyToFew(const ConvGeometry& geometry);
  double cost() const;  // multiply-adds of whole vectors for an image
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* many, const float* weights, const float* bias, Activation activation, float* few, float* scratch) const;

 private:
  struct Call;

  int64_t panel_floats() const { return g_.oc * panels_.width; }
  int64_t line_floats() const;
  void multiply(const Call& call, int64_t image, int64_t first, int64_t last, float* ring) const;
  void gather(const Call& call, int64_t image, int64_t h, const float* ring, float* line, FewReach* reaches) const;

  FewChannels view_;
  ConvGeometry g_;  // of neighbours merged
  Panels panels_;
  int64_t pixel_floats_, margin_, slot_floats_;
  int64_t together_, slots_;  // lines of the many: in one product, in the ring
  std::vector<int32_t> pixels_, channels_;  // of a line of the many, and of a pixel
};

// The weight gradient, and with it that of the bias, unless `db` is null.
class FewWeights {
 public:
  explicit FewWeights(const ConvGeometry& geometry);
  int64_t scratch_floats(int64_t n) const;
  void run(int64_t n, const float* x, const float* dy, float* dw, float* db, float* scratch) const;

 private:
  int64_t splits(int64_t n) const;
  int64_t rows(int64_t n) const;
  void add(int64_t n, int64_t split, const float* few, const float* many, float* memory, float* sums, float* totals) const;

  FewChannels view_;
  FewBands bands_;
  Panels panels_;
};

}  // namespace convlane
