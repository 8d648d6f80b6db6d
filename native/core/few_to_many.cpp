// SPDX-License-Identifier: MIT
#include "few_channels.h"

namespace convlane {

FewToMany::FewToMany(const ConvGeometry& geometry) : view_(geometry), bands_(view_.g, kBandPixels), panels_(view_.g.oc) {}

// HWIO is in the order of the terms already; its rows are read whole vectors at a time.
bool FewToMany::packs() const { return view_.g.oc % kernels().width != 0; }

int64_t FewToMany::scratch_floats(int64_t) const {
  return (view_.mirrored ? round_up(view_.g.weights(), 16) : 0) + (packs() ? view_.terms() * round_up(view_.g.oc, kernels().width) : 0);
}

void FewToMany::run(int64_t n, const float* few, const float* weights, const float* bias, Activation activation, float* many, float* scratch) const {
  const ConvGeometry& g = view_.g;
  n = g.batch.of(n);
  int64_t ldw = g.oc;
  if (view_.mirrored) {
    view_.to_terms(weights, scratch);
    weights = scratch;
    scratch += round_up(g.weights(), 16);
  }
  if (packs()) {
    ldw = round_up(g.oc, kernels().width);
    kernels().pack_rows(weights, g.oc, view_.terms(), g.oc, ldw, scratch, ldw);
    weights = scratch;
  }
  FewRowsArgs common{};
  common.ldw = ldw;
  common.ldy = g.oc;
  common.activation = activation;
  const int64_t count = bands_.count(n), chunks = std::min(count, chunks_for(g.work(n)));
  parallel_with_scratch(chunks, bands_.floats(), [&](int64_t chunk, float* memory) {
    FewRowsArgs args = common;
    const int64_t first = chunk * count / chunks, last = (chunk + 1) * count / chunks;
    for (int64_t number = first; number < last; ++number) {
      const FewBands::Band band = bands_.copy(number, few, memory, number > first);
      args.x = memory;
      const FewBands::Stretch next = number + 1 < last ? bands_.source(number + 1, few) : FewBands::Stretch{few, 0};
      const int64_t ahead = divide_up(next.floats, band.pixels);
      for (int64_t panel = 0; panel < panels_.count; ++panel) {
        const int64_t column = panels_.first(panel);
        args.bias = bias == nullptr ? nullptr : bias + column;
        args.ahead_floats = panel == 0 ? ahead : 0;
        args.vectors = panels_.vectors_of(panel);
        args.columns = panels_.columns_of(panel);
        for (int64_t pixel = 0; pixel < band.pixels; pixel += args.count) {
          const FewBands::Alike alike = bands_.alike(number, pixel, band.pixels);
          args.pixels = bands_.pixels() + pixel;
          args.count = alike.pixels;
          args.terms = bands_.terms() + alike.first_term;
          args.term_count = alike.terms;
          args.w = weights + alike.first_term * ldw + column;
          args.y = many + (band.first + pixel) * g.oc + column;
          args.ahead = next.first + pixel * args.ahead_floats;
          kernels().few_rows(args);
        }
      }
    }
  });
}

}  // namespace convlane
