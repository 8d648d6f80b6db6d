// SPDX-License-Identifier: MIT
#include "gemm.h"

namespace convlane {

namespace {

constexpr int64_t kDepth = 1024;         // reduction between two packings of b, and two visits to y when a is read by rows: what a visit costs sets it
constexpr int64_t kColumnsDepth = 256;   // the same when a is read by columns in place: its rows and a panel of b stay in L2
constexpr int64_t kBlockRows = 64;       // rows of y between two visits to a panel, at most: their part of a stays in L2
constexpr int64_t kCopyRows = 1024;      // rows of y in a chunk that copies panels of b while it computes its first tile, which takes up to 3 times as long,
constexpr int64_t kCopyLeast = 96;       // or all rows; with fewer than these, b is read where it lies, and with fewer than the next if that is from afar:
constexpr int64_t kCopyLeastFar = 24;    // 64 x 1024 x 1024 takes half as long with the copy
constexpr int64_t kNarrow = 32;          // columns: of panels narrower than this each tile fetches a line or two from every distant row
constexpr int64_t kLarge = 4 << 20;      // floats of a b that no cache holds
constexpr int64_t kChunkColumns = 256;   // columns of y in one chunk, about, at most
constexpr int64_t kCopyColumns = 256;    // with more, a transposed a is turned into rows block by block, but where y is near (0.7 to 1 of the time in place),
constexpr int64_t kNearSums = 512 << 10;  // floats of such a y,
constexpr int64_t kShort = 16;           // or the reduction as short (0.6 to 0.95): turning takes longer than it saves then.
constexpr int64_t kApart = 1024;         // Rows that lie multiples of so many floats apart are in each other's way in the caches,
constexpr int64_t kFewApart = 8;         // but as few
constexpr int64_t kPackedRows = 128;     // with fewer rows, packing b for a transposed a costs more than it gains
constexpr int64_t kFarFloats = 64 << 10;  // a y at least this large isn't in L2 when its turn comes

double work(const GemmSizes& s) { return static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k); }

// The reduction in equal parts of at most `most`.
int64_t depth_of(int64_t k, int64_t most) { return divide_up(k, divide_up(k, most)); }

// Whether a transposed a is read where it lies; its kernels read no more of b than there is.
bool by_columns(const GemmSizes& s) {
  if (!s.transpose_a || s.n <= kCopyColumns) return s.transpose_a;
  if (s.n % kApart == 0) return false;
  return s.k <= kFewApart || (s.m % kApart != 0 && (s.k <= kShort || s.m * s.n <= kNearSums));
}

// Whether all panels of b are packed beforehand; else only a last one that kernels couldn't read in place: its vectors reach beyond the row.
// Of a plain product the first tile of each chunk copies them. When a is read by columns, a few wide panels lie well as they are.
bool packs_all(const GemmSizes& s, const Panels& panels) {
  return s.transpose_b || (s.transpose_a && s.m > kPackedRows && (!by_columns(s) || (panels.count > 1 && panels.width < kNarrow)));
}

int64_t packed_panels(const GemmSizes& s, const Panels& panels) {
  if (packs_all(s, panels)) return panels.count;
  return !by_columns(s) && s.n % kernels().width != 0 ? 1 : 0;
}

// Packs rows first .. first + depth - 1 of the last `count` panels.
void pack(const GemmSizes& s, const Panels& panels, const float* b, int64_t first, int64_t depth, int64_t count, float* packed) {
  const KernelTable& table = kernels();
  constexpr int64_t kRowsTogether = 256;
  const int64_t stretches = divide_up(depth, kRowsTogether);
  parallel_blocks(count * stretches, std::max<int64_t>(1, kElementGrain / (kRowsTogether * panels.width)), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t panel = panels.count - count + item / stretches, row = item % stretches * kRowsTogether;
      const int64_t rows = std::min(kRowsTogether, depth - row), column = panels.first(panel);
      float* to = packed + (item / stretches * depth + row) * panels.width;
      if (s.transpose_b) {
        table.pack_transposed(b + column * s.k + first + row, s.k, rows, panels.columns_of(panel), panels.padded_of(panel), to, panels.width);
      } else {
        table.pack_rows(b + (first + row) * s.n + column, s.n, rows, panels.columns_of(panel), panels.padded_of(panel), to, panels.width);
      }
    }
  });
}

// One chunk per block of at most `rows` rows and group of panels.
struct Chunks {
  static constexpr int64_t kEnough = 16, kOfThread = 4;  // up to so many, in all and for each thread, rows are cut: the longer a chunk, the less its copies cost
  int64_t block, blocks, panels, groups;
  Chunks(const GemmSizes& s, const Panels& all, int64_t columns, int64_t rows) {
    const int64_t wanted = chunks_for(work(s));
    panels = std::clamp(columns / all.width, int64_t{1}, all.count);
    block = std::min(s.m, rows);
    if (divide_up(s.m, block) * divide_up(all.count, panels) < wanted) panels = std::max<int64_t>(1, all.count * divide_up(s.m, block) / wanted);
    groups = divide_up(all.count, panels);
    const int64_t enough = std::min({wanted, kEnough, kOfThread * threads()});
    if (divide_up(s.m, block) * groups < enough) block = divide_up(s.m * groups, enough);
    block = round_up(block, all.rows);
    blocks = divide_up(s.m, block);
  }
  int64_t count() const { return blocks * groups; }
  int64_t first_row(int64_t chunk) const { return chunk / groups * block; }
  int64_t first_panel(int64_t chunk) const { return chunk % groups * panels; }
};

// Where kernels find a panel of b.
struct PanelOfB {
  const float* data;
  int64_t ld;
};

// The panels of b for one stretch of the reduction: packed, or as they lie.
class StretchOfB {
 public:
  StretchOfB(const GemmSizes& s, const Panels& panels, const float* b, int64_t first, int64_t length, float* scratch)
      : sizes_(s), panels_(panels), b_(b), first_(first), length_(length), packed_(packed_panels(s, panels)), scratch_(scratch) {
    if (packed_ > 0) pack(s, panels, b, first, length, packed_, scratch);
  }
  bool packed(int64_t panel) const { return panel >= panels_.count - packed_; }
  PanelOfB at(int64_t panel) const {
    const int64_t number = panel - (panels_.count - packed_);
    if (packed(panel)) return {scratch_ + number * length_ * panels_.width, panels_.width};
    return {b_ + first_ * sizes_.n + panels_.first(panel), sizes_.n};
  }

 private:
  const GemmSizes& sizes_;
  const Panels& panels_;
  const float* b_;
  int64_t first_, length_, packed_;
  float* scratch_;
};

// Rows of a, or of a transposed a's copy, in tiles against the panels of b.
class ByRows {
 public:
  ByRows(const GemmSizes& s, const float* a, const float* bias, Activation activation, float* y)
      : s_(s), a_(a), bias_(bias), activation_(activation), y_(y), panels_(s.n),
        chunks_(s, panels_, s.transpose_a ? 4 * kChunkColumns : kChunkColumns, s.transpose_a || s.transpose_b ? kBlockRows : kCopyRows),
        copies_(!s.transpose_a && !s.transpose_b && panels_.count > 1 &&
                chunks_.block >= (panels_.width < kNarrow || s.n * s.k > kNearFloats ? kCopyLeastFar : kCopyLeast)),
        together_(round_up(kBlockRows, panels_.rows)) {}

  void run(const float* b, float* scratch) const {
    const bool packed = packed_panels(s_, panels_) > 0;
    const int64_t depth = packed ? depth_of(s_.k, kDepth) : s_.k;
    for (int64_t first = 0; first < s_.k; first += depth) {
      const int64_t length = std::min(depth, s_.k - first);
      const int64_t part = depth_of(length, kDepth);
      const StretchOfB stretch(s_, panels_, b, first, length, scratch);
      const int64_t turned = s_.transpose_a ? round_up(together_ * part, 16) : 0, copied = copies_ ? chunks_.panels * panels_.width * part : 0;
      parallel_with_scratch(chunks_.count(), turned + copied, [&](int64_t chunk, float* memory) {
        for (int64_t k = 0; k < length; k += part) add(stretch, chunk, first, k, std::min(part, length - k), memory, memory + turned);
      });
    }
  }

 private:
  // One chunk's part k .. k + length - 1 of the stretch that begins at `first`.
  void add(const StretchOfB& stretch, int64_t chunk, int64_t first, int64_t k, int64_t length, float* turned, float* copies) const {
    const int64_t begin = chunks_.first_row(chunk), end = std::min(begin + chunks_.block, s_.m);
    const int64_t first_panel = chunks_.first_panel(chunk), last_panel = std::min(first_panel + chunks_.panels, panels_.count);
    const bool ends = first + k + length == s_.k;
    const float *rows[kMaxRows], *ahead[kMaxRows];
    float* out[kMaxRows];
    GemmRun run{nullptr, length};
    GemmRowsArgs args{};
    args.rows = rows;
    args.runs = &run;
    args.run_count = 1;
    args.out = out;
    args.accumulate = first + k > 0;
    args.activation = ends ? activation_ : Activation(Activation::linear);
    args.fetch_out = s_.m * s_.n >= kFarFloats;
    for (int64_t block = begin; block < end; block += together_) {
      const int64_t block_end = std::min(block + together_, end);
      const float* from = a_ + block * s_.k + first + k;
      int64_t lda = s_.k;
      if (s_.transpose_a) {
        kernels().pack_transposed(a_ + (first + k) * s_.m + block, s_.m, block_end - block, length, length, turned, length);
        from = turned;
        lda = length;
      }
      for (int64_t panel = first_panel; panel < last_panel; ++panel) {
        const PanelOfB panel_b = stretch.at(panel);
        const bool copied = copies_ && !stretch.packed(panel);
        float* copy = copied ? copies + (panel - first_panel) * length * panels_.width : nullptr;
        run.b = panel_b.data + k * panel_b.ld;
        args.ldb = panel_b.ld;
        args.out_offset = panels_.first(panel);
        args.bias = bias_ != nullptr && ends ? bias_ + args.out_offset : nullptr;
        args.vectors = panels_.vectors_of(panel);
        args.columns = panels_.columns_of(panel);
        for (int64_t i = block; i < block_end; i += panels_.rows) {
          args.m = static_cast<int32_t>(std::min<int64_t>(panels_.rows, block_end - i));
          for (int32_t r = 0; r < args.m; ++r) {
            rows[r] = from + (i - block + r) * lda;
            out[r] = y_ + (i + r) * s_.n;
            ahead[r] = rows[r] + panels_.rows * lda;
          }
          args.ahead = !s_.transpose_a && panel == first_panel && i + 2 * panels_.rows <= end ? ahead : nullptr;
          args.copy = i == begin && args.m == panels_.rows ? copy : nullptr;  // with fewer rows, this is the chunk's only tile
          if (copied && i > begin) {
            run.b = copy;
            args.ldb = static_cast<int64_t>(args.vectors) * kernels().width;
          }
          kernels().gemm_rows(args);
        }
      }
    }
  }

  const GemmSizes& s_;
  const float *a_, *bias_;
  Activation activation_;
  float* y_;
  Panels panels_;
  Chunks chunks_;
  bool copies_;       // whether the first tile of a chunk copies the panels of b for the others
  int64_t together_;  // rows between two visits to a panel
};

// Columns of a transposed a where they lie.
void gemm_by_columns(const GemmSizes& s, const float* a, const float* b, float* y, float* scratch) {
  const KernelTable& table = kernels();
  const Panels panels(s.n);
  const Chunks chunks(s, panels, kChunkColumns, kBlockRows);
  const int64_t depth = depth_of(s.k, kDepth);
  for (int64_t first = 0; first < s.k; first += depth) {
    const int64_t length = std::min(depth, s.k - first), part = depth_of(length, kColumnsDepth);
    const StretchOfB stretch(s, panels, b, first, length, scratch);
    parallel_blocks(chunks.count(), 1, [&](int64_t chunk, int64_t) {
      const int64_t begin = chunks.first_row(chunk), end = std::min(begin + chunks.block, s.m);
      const int64_t first_panel = chunks.first_panel(chunk), last_panel = std::min(first_panel + chunks.panels, panels.count);
      GemmColsRun run{};
      GemmColsArgs args{};
      args.runs = &run;
      args.run_count = 1;
      args.lda = s.m;
      args.ldc = s.n;
      for (int64_t k = 0; k < length; k += part) {
        run.length = std::min(part, length - k);
        run.a = a + (first + k) * s.m;
        args.accumulate = first + k > 0;
        for (int64_t panel = first_panel; panel < last_panel; ++panel) {
          const PanelOfB panel_b = stretch.at(panel);
          run.b = panel_b.data + k * panel_b.ld;
          args.ldb = panel_b.ld;
          args.vectors = panels.vectors_of(panel);
          args.columns = panels.columns_of(panel);
          for (int64_t i = begin; i < end; i += panels.rows) {
            args.a_offset = i;
            args.c = y + i * s.n + panels.first(panel);
            args.m = static_cast<int32_t>(std::min<int64_t>(panels.rows, end - i));
            table.gemm_cols(args);
          }
        }
      }
    });
  }
}

// As many rows by a transposed b, at most, may be turned: of more, turning back takes longer than packing b.
int64_t turned_rows(const GemmSizes& s) { return std::min({s.m, int64_t{256}, 3 * s.k}); }

// A transposed a times a plain b is as well the transposed product of b's columns and a's, and cheaper so where that fills the tiles better, or leaves the
// narrower side as the panel that all tiles read again; a plain a times a transposed b, the input gradient of a dense layer, where packing b takes longer than
// turning the result back, about half a cycle an element.
bool turns(const GemmSizes& s) {
  constexpr double kTurn = 8, kTurnApart = 50, kPack = 11, kPackFar = 30, kClearly = 0.95;  // of an element, in multiply-adds
  constexpr double kThinTile = 1.4;  // tiles of one vector have 72 % of the limit
  auto tiles = [](int64_t rows, int64_t columns) {
    return static_cast<double>(round_up(rows, Panels(columns).planned_rows)) * static_cast<double>(round_up(columns, kernels().width));
  };
  const double m = static_cast<double>(s.m), n = static_cast<double>(s.n), k = static_cast<double>(s.k);
  if (s.transpose_b && !s.transpose_a) {
    const double thin = s.m <= kernels().width ? kThinTile : 1, pack = s.n * s.k >= kLarge ? kPackFar : kPack;
    const double turn = s.n % (kApart / 2) == 0 ? kTurnApart : kTurn;
    return s.m == turned_rows(s) && k * (thin * tiles(s.n, s.m) + kPack * m) + turn * m * n < kClearly * k * (tiles(s.m, s.n) + pack * n);
  }
  if (!s.transpose_a || s.transpose_b || std::min(s.m, s.n) > kCopyColumns) return false;
  const double share = k * (tiles(s.m, s.n) - tiles(s.n, s.m)) - kTurn * m * n;
  return share > 0 || (s.n > kCopyColumns && s.k >= kDepth && tiles(s.n, s.m) <= tiles(s.m, s.n));
}

void turn_back(const GemmSizes& s, const float* turned, float* y) {
  constexpr int64_t kTogether = 64;
  parallel_blocks(s.m, std::max(kTogether, kElementGrain / s.n), [&](int64_t begin, int64_t end) {
    kernels().pack_transposed(turned + begin, s.m, end - begin, s.n, s.n, y + begin * s.n, s.n);
  });
}

// Few rows by a transposed b: packing b would take longer than the product.
bool by_dots(const GemmSizes& s) {
  constexpr int64_t kDotRows = 4;
  return s.transpose_b && !s.transpose_a && s.m <= kDotRows;
}

void gemm_by_dots(const GemmSizes& s, const float* a, const float* b, float* y) {
  constexpr int64_t kTogether = 4;
  const int64_t grain = round_up(divide_up(s.n, chunks_for(work(s))), kTogether);
  parallel_blocks(s.n, grain, [&](int64_t begin, int64_t end) {
    kernels().gemm_dots({a, b + begin * s.k, s.k, s.k, s.m, end - begin, s.k, y + begin, s.n});
  });
}

// Thin: a row by a plain b, or few rows by one that no cache holds. What counts is reading b once, in the order in which it lies.
constexpr int64_t kThinRows = 16;
int64_t thin_rows(int64_t n, int64_t k) { return n * k >= kLarge ? kThinRows : 1; }
bool is_thin(const GemmSizes& s) {
  constexpr int64_t kLeast = 16 << 10;  // floats of b
  return !s.transpose_a && !s.transpose_b && s.m <= thin_rows(s.n, s.k) && s.n * s.k >= kLeast;
}

// Sums of each stretch of the reduction, for as many rows or fewer. The stretches are those of more rows, so that a row has the same bits alone and among others.
int64_t thin_floats(const GemmSizes& s) {
  const int64_t parts = divide_up(s.k, kDepth);
  return parts > 1 ? parts * std::min(s.m, thin_rows(s.n, s.k)) * s.n : 0;
}

void gemm_thin(const GemmSizes& s, const float* a, const float* b, const float* bias, Activation activation, float* y, float* scratch) {
  constexpr int64_t kChunkFloats = 32 << 10, kColumns = 256;  // of b in a chunk: reading them takes a microsecond or two
  const int64_t depth = depth_of(s.k, kDepth), parts = divide_up(s.k, depth), floats = s.m * s.n;
  const int64_t wanted = std::clamp<int64_t>(s.n * s.k / kChunkFloats, 1, kChunks);
  const int64_t width = round_up(divide_up(s.n, std::clamp<int64_t>(wanted / parts, 1, divide_up(s.n, kColumns))), 16), groups = divide_up(s.n, width);
  float* const sums = parts > 1 ? scratch : y;
  parallel_blocks(parts * groups, 1, [&](int64_t chunk, int64_t) {
    const int64_t part = chunk / groups, first = part * depth, column = chunk % groups * width;
    kernels().gemm_thin({a + first, b + first * s.n + column, s.k, s.n, s.m, std::min(depth, s.k - first), std::min(width, s.n - column),
                        sums + part * floats + column, s.n});
  });
  if (parts == 1 && bias == nullptr && activation == Activation::linear) return;
  parallel_blocks(s.n, std::max<int64_t>(16, kElementGrain / (parts * s.m)), [&](int64_t begin, int64_t end) {
    const KernelTable& table = kernels();
    for (int64_t at = begin; at < floats; at += s.n) {
      float* const row = y + at;
      const int64_t count = end - begin;
      if (parts > 1) table.add(sums + at, sums + floats + at, row, count, Activation::linear);
      for (int64_t part = 2; part < parts; ++part) table.axpy(1.0f, sums + part * floats + at, row, count);
      if (bias != nullptr) table.axpy(1.0f, bias + begin, row, count);
      if (activation != Activation::linear) table.activate(activation, row, row, count);
    }
  });
}

// The weight gradient of one image.
bool is_outer(const GemmSizes& s) { return s.transpose_a && !s.transpose_b && s.k == 1; }

void gemm_outer(const GemmSizes& s, const float* a, const float* b, float* y) {
  parallel_blocks(s.m, divide_up(kElementGrain, s.n), [&](int64_t begin, int64_t end) { kernels().gemm_outer(a + begin, b, end - begin, s.n, y + begin * s.n); });
}

GemmSizes turned(const GemmSizes& s) { return {s.n, s.m, s.k, s.transpose_a, s.transpose_b}; }

int64_t packed_floats(const GemmSizes& s) {
  const Panels panels(s.n);
  return packed_panels(s, panels) * panels.width * std::min(s.k, kDepth);
}

}  // namespace

int64_t gemm_scratch_floats(const GemmSizes& sizes, bool shorter) {
  if (by_dots(sizes) || is_outer(sizes)) return 0;
  if (!sizes.transpose_a && !sizes.transpose_b) return std::max(packed_floats(sizes), thin_floats(sizes));
  auto turned_floats = [](const GemmSizes& s) { return round_up(s.m * s.n, 16) + packed_floats(turned(s)); };
  if (sizes.transpose_b) return std::max(packed_floats(sizes), turned_floats({turned_rows(sizes), sizes.n, sizes.k, sizes.transpose_a, true}));  // so may fewer rows
  if (!turns(sizes)) return packed_floats(sizes);
  return shorter ? std::max(turned_floats(sizes), packed_floats(sizes)) : turned_floats(sizes);  // a shorter reduction may not be turned
}

void gemm(const GemmSizes& sizes, const float* a, const float* b, const float* bias, Activation activation, float* y, float* scratch) {
  if (by_dots(sizes)) {
    gemm_by_dots(sizes, a, b, y);
  } else if (is_thin(sizes)) {
    gemm_thin(sizes, a, b, bias, activation, y, scratch);
  } else if (is_outer(sizes)) {
    gemm_outer(sizes, a, b, y);
  } else if (turns(sizes)) {
    const GemmSizes other = turned(sizes);
    float* const rest = scratch + round_up(sizes.m * sizes.n, 16);
    if (sizes.transpose_a) {
      gemm_by_columns(other, b, a, scratch, rest);
    } else {
      ByRows(other, b, nullptr, Activation::linear, scratch).run(a, rest);
    }
    turn_back(sizes, scratch, y);
  } else if (by_columns(sizes)) {
    gemm_by_columns(sizes, a, b, y, scratch);
  } else {
    ByRows(sizes, a, bias, activation, y).run(b, scratch);
  }
}

}  // namespace convlane
