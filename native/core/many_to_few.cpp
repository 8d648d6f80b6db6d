// SPDX-License-Identifier: MIT
#include <cstring>

#include "few_channels.h"

namespace convlane {

namespace {

constexpr int64_t kPixelsTogether = 64;       // of a product, at least, where an image has them
constexpr double kMostRingFloats = 8 << 20;
constexpr int64_t kLinesAgain = 8;            // lines of a chunk for each that its neighbour computes, too
constexpr int64_t kMostPieces = 16;           // chunks of images that are cut
constexpr int64_t kWholeImages = 8;           // of so many none is cut
constexpr int64_t kAheadPixels = 16;          // from what is multiplied to what is fetched
constexpr int64_t kBeyond = 16;               // floats after a line

int64_t terms_floats(const ConvGeometry& g) { return round_up(g.taps() * g.c, kernels().width); }
int64_t margin_of(const Axis& w) { return (w.extent() - 1) / w.stride; }
int64_t lines_together(const ConvGeometry& g) { return std::min(g.h.out, divide_up(kPixelsTogether, g.w.out)); }
int64_t slots_of(const ConvGeometry& g) { return (g.h.extent() - 1) / g.h.stride + lines_together(g); }

// So many neighbours of a line of the many are taken as one pixel with all their channels, whose windows overlap: a window of all is wider, and the vectors of a
// product have room for it. What is gathered has fewer and longer pieces then.
int64_t merged_pixels(const ConvGeometry& g) {
  int64_t most = 1;
  if (g.w.dilation != 1) return most;
  for (int64_t pixels = 2; pixels <= 4; ++pixels) {
    const int64_t terms = g.h.kernel * (g.w.kernel + (pixels - 1) * g.w.stride) * g.c;
    if (g.w.out % pixels == 0 && round_up(terms, kernels().width) == terms_floats(g)) most = pixels;
  }
  return most;
}

ConvGeometry merged(ConvGeometry g) {
  const int64_t pixels = merged_pixels(g);
  g.w.out /= pixels;
  g.w.kernel += (pixels - 1) * g.w.stride;
  g.w.stride *= pixels;
  g.oc *= pixels;
  return g;
}

// The weights of merged pixels, [term][pixel][channel]: zero where a pixel's own window does not reach.
void merge_weights(const ConvGeometry& g, const ConvGeometry& to, const float* weights, float* merged) {
  for (int64_t h = 0; h < g.h.kernel; ++h) {
    for (int64_t i = 0; i < to.w.kernel * to.c; ++i) {
      for (int64_t first = 0; first < to.w.kernel; first += g.w.stride) {
        if (first / g.w.stride * g.oc >= to.oc) break;
        const int64_t term = i - first * g.c;
        const bool reaches = term >= 0 && term < g.w.kernel * g.c;
        const float* from = weights + (h * g.w.kernel * g.c + term) * g.oc;
        for (int64_t c = 0; c < g.oc; ++c) *merged++ = reaches ? from[c] : 0.0f;
      }
    }
  }
}

}  // namespace

struct ManyToFew::Call {
  const float* many;
  const float* packed;  // panels of terms
  const float* bias;    // of a whole line, or null
  Activation activation;
  float* few;
};

bool ManyToFew::fits(const ConvGeometry& geometry) {
  const Axis& d = geometry.d;
  if (!FewChannels::fits(geometry) || d.kernel != 1 || d.stride != 1 || d.before != 0 || d.after != 0) return false;
  const ConvGeometry g = merged(FewChannels(geometry).g);
  const double pixels = static_cast<double>(g.w.out + 2 * margin_of(g.w));
  if (static_cast<double>(g.w.out) * static_cast<double>(g.oc) > static_cast<double>(INT32_MAX)) return false;
  return (static_cast<double>(slots_of(g)) * static_cast<double>(terms_floats(g)) + static_cast<double>(g.w.stride * g.c)) * pixels <= kMostRingFloats;
}

ManyToFew::ManyToFew(const ConvGeometry& geometry)
    : view_(geometry),
      g_(merged(view_.g)),
      panels_(g_.taps() * g_.c),
      pixel_floats_(terms_floats(g_)),
      margin_(margin_of(g_.w)),
      slot_floats_((g_.w.out + 2 * margin_) * pixel_floats_),
      together_(lines_together(g_)),
      slots_(slots_of(g_)) {
  for (int64_t w = 0; w < g_.w.out; ++w) pixels_.push_back(static_cast<int32_t>(w * g_.oc));
  for (int64_t c = 0; c < g_.oc; ++c) channels_.push_back(static_cast<int32_t>(c));
}

double ManyToFew::cost() const {
  return static_cast<double>(g_.out_pixels()) * static_cast<double>(pixel_floats_ / kernels().width) * static_cast<double>(g_.oc);
}

int64_t ManyToFew::scratch_floats(int64_t) const {
  return round_up(view_.g.weights(), 16) + round_up(g_.weights(), 16) + panels_.count * panel_floats() + g_.w.in * g_.c;
}

// From the first position that a window covers to the last.
int64_t ManyToFew::line_floats() const { return (g_.w.out + margin_) * g_.w.stride * g_.c + kBeyond; }

void ManyToFew::run(int64_t n, const float* many, const float* weights, const float* bias, Activation activation, float* few, float* scratch) const {
  const ConvGeometry& g = g_;
  n = g.batch.of(n);
  if (view_.mirrored) {
    view_.to_terms(weights, scratch);
    weights = scratch;
    scratch += round_up(view_.g.weights(), 16);
  }
  if (g.oc != view_.g.oc) {
    merge_weights(view_.g, g, weights, scratch);
    weights = scratch;
    scratch += round_up(g.weights(), 16);
  }
  Call call{many, scratch, nullptr, activation, few};
  for (int64_t panel = 0; panel < panels_.count; ++panel) {
    kernels().pack_transposed(weights + panels_.first(panel) * g.oc, g.oc, g.oc, panels_.columns_of(panel), panels_.padded_of(panel),
                              scratch + panel * panel_floats(), panels_.width);
  }
  if (bias != nullptr) {
    float* line = scratch + panels_.count * panel_floats();
    call.bias = line;
    for (int64_t i = 0; i < g.w.in * g.c; ++i) line[i] = bias[i % g.c];
  }

  // Chunks are stretches of lines, of whole images where there are enough of them: the first lines of others need some of the many's again.
  const int64_t images = n * g.d.in, lines = images * g.h.in;
  const bool whole = images >= kWholeImages;
  const int64_t most = whole ? images : std::clamp(lines / (kLinesAgain * g.h.extent()), int64_t{1}, kMostPieces);
  const int64_t chunks = std::min(most, chunks_for(g.work(n)));
  const int64_t reaches = round_up(g.h.kernel * g.w.kernel * static_cast<int64_t>(sizeof(FewReach) / sizeof(float)), 16);
  parallel_with_scratch(chunks, reaches + slots_ * slot_floats_ + line_floats(), [&](int64_t chunk, float* memory) {
    float* ring = memory + reaches;
    float* line = ring + slots_ * slot_floats_;
    const int64_t side = margin_ * pixel_floats_;
    for (int64_t slot = 0; slot < slots_; ++slot) {
      std::fill_n(ring + slot * slot_floats_, side, 0.0f);
      std::fill_n(ring + (slot + 1) * slot_floats_ - side, side, 0.0f);
    }
    const int64_t first = whole ? chunk * images / chunks * g.h.in : chunk * lines / chunks;
    const int64_t last = whole ? (chunk + 1) * images / chunks * g.h.in : (chunk + 1) * lines / chunks;
    int64_t done = 0;  // lines of the image's many that are in the ring, or were
    for (int64_t number = first; number < last; ++number) {
      const int64_t image = number / g.h.in, h = number % g.h.in, reach = h + g.h.before;
      if (number == first || h == 0) done = std::max<int64_t>(0, divide_up(reach - g.h.extent() + 1, g.h.stride));
      const int64_t end = reach < 0 ? 0 : std::min(reach / g.h.stride + 1, g.h.out);
      while (done < end) {
        const int64_t next = std::min(done + together_, g.h.out);
        multiply(call, image, done, next, ring);
        done = next;
      }
      gather(call, image, h, ring, line, reinterpret_cast<FewReach*>(memory));
    }
  });
}

// Lines first .. last-1 of an image's many, times the weights of all terms.
void ManyToFew::multiply(const Call& call, int64_t image, int64_t first, int64_t last, float* ring) const {
  const ConvGeometry& g = g_;
  for (int64_t panel = 0; panel < panels_.count; ++panel) {
    FewRowsArgs args{};
    args.pixels = pixels_.data();
    args.count = g.w.out;
    args.terms = channels_.data();
    args.term_count = g.oc;
    args.ahead_floats = panel == 0 ? g.oc : 0;
    args.w = call.packed + panel * panel_floats();
    args.ldw = panels_.width;
    args.ldy = pixel_floats_;
    args.vectors = panels_.vectors_of(panel);
    args.columns = static_cast<int32_t>(panels_.padded_of(panel));
    for (int64_t line = first; line < last; ++line) {
      args.x = call.many + (image * g.h.out + line) * g.w.out * g.oc;
      args.ahead = args.x + kAheadPixels * g.oc;
      args.y = ring + line % slots_ * slot_floats_ + margin_ * pixel_floats_ + panels_.first(panel);
      kernels().few_rows(args);
    }
  }
}

// Line h of an image's few. Window position k of pixel o of the many reaches position o · stride + k · dilation of the line, which begins `before` early.
// With dilation 1, `stride` neighbours of the line, a segment, take neighbouring terms from each pixel; otherwise they are taken one by one.
void ManyToFew::gather(const Call& call, int64_t image, int64_t h, const float* ring, float* line, FewReach* reaches) const {
  const ConvGeometry& g = g_;
  const bool neighbours = g.w.dilation == 1 || g.w.kernel == 1;
  const int64_t together = neighbours ? g.w.stride : 1;
  for (int64_t phase = 0; phase < g.w.stride; phase += together) {
    int64_t count = 0;
    for (int64_t kh = 0; kh < g.h.kernel; ++kh) {
      const int64_t at = h + g.h.before - kh * g.h.dilation;
      if (at < 0 || at % g.h.stride != 0 || at / g.h.stride >= g.h.out) continue;
      const float* row = ring + at / g.h.stride % slots_ * slot_floats_ + margin_ * pixel_floats_ + kh * g.w.kernel * g.c;
      for (int64_t kw = 0; kw < g.w.kernel; kw += together) {
        const int64_t distance = kw * g.w.dilation - phase;
        if (distance % g.w.stride != 0) continue;
        reaches[count++] = {row + kw * g.c - distance / g.w.stride * pixel_floats_, std::min(together, g.w.kernel - kw) * g.c};
      }
    }
    FewGatherArgs args{};
    args.reaches = reaches;
    args.reach_count = count;
    args.pixel = pixel_floats_;
    args.segments = g.w.out + margin_;
    args.width = together * g.c;
    args.step = g.w.stride * g.c;
    args.line = line + phase * g.c;
    kernels().few_gather(args);
  }

  const int64_t width = g.w.in * g.c;
  float* to = call.few + (image * g.h.in + h) * width;
  const int64_t begin = std::clamp(-g.w.before, int64_t{0}, g.w.in), end = std::clamp((g.w.out + margin_) * g.w.stride - g.w.before, begin, g.w.in);
  std::fill(to, to + begin * g.c, 0.0f);
  if (begin < end) std::memcpy(to + begin * g.c, line + (begin + g.w.before) * g.c, static_cast<size_t>((end - begin) * g.c) * sizeof(float));
  std::fill(to + end * g.c, to + width, 0.0f);
  if (call.bias != nullptr) {
    kernels().add(to, call.bias, to, width, call.activation);
  } else if (call.activation != Activation::linear) {
    kernels().activate(call.activation, to, to, width);
  }
}

}  // namespace convlane
