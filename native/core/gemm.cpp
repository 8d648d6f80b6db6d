// SPDX-License-Identifier: MIT
#include "gemm.h"

namespace convlane {

namespace {

constexpr int64_t kRowsDepth = 1024;    // reduction between two visits to y when a is read by rows: what a visit costs sets it
constexpr int64_t kColumnsDepth = 128;  // when a is read by columns: its rows and those of b stay in L2 for all tiles
constexpr int64_t kBlockRows = 128;     // rows of a that pass one panel of b: kRowsDepth floats each, in L2
constexpr int64_t kPackedRows = 128;    // with fewer rows, packing b costs more than it gains
constexpr int64_t kPanelsTogether = 4;  // panels of one chunk, at most

double work(const GemmSizes& s) { return static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k); }

// The reduction in equal parts of at most `most`.
int64_t depth_of(int64_t k, int64_t most) { return divide_up(k, divide_up(k, most)); }

// Whether all panels of b are copied; else only a last one that kernels couldn't read in place: its vectors reach beyond the row.
bool packs_all(const GemmSizes& s) { return s.transpose_b || (!s.transpose_a && s.m > kPackedRows); }

int64_t packed_panels(const GemmSizes& s, const Panels& panels) {
  if (packs_all(s)) return panels.count;
  return !s.transpose_a && s.n % kernels().width != 0 ? 1 : 0;
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

// One chunk per block of rows and group of panels, sized for about twice kChunks of them when there is enough to do.
struct Chunks {
  int64_t block, blocks, panels, groups;
  Chunks(const GemmSizes& s, const Panels& all, int64_t most_rows) {
    const int64_t wanted = chunks_for(work(s));
    panels = std::min(all.count, kPanelsTogether);
    block = std::min(most_rows, s.m);
    if (divide_up(s.m, block) * divide_up(all.count, panels) < wanted) panels = std::max<int64_t>(1, all.count * divide_up(s.m, block) / wanted);
    groups = divide_up(all.count, panels);
    if (divide_up(s.m, block) * groups < wanted) block = divide_up(s.m * groups, wanted);
    block = round_up(block, all.rows);
    blocks = divide_up(s.m, block);
  }
  int64_t count() const { return blocks * groups; }
};

void gemm_by_rows(const GemmSizes& s, const float* a, const float* b, const float* bias, Activation activation, float* y, float* scratch) {
  const KernelTable& table = kernels();
  const Panels panels(s.n);
  const int64_t packed = packed_panels(s, panels), depth = depth_of(s.k, kRowsDepth);
  const Chunks chunks(s, panels, kBlockRows);
  for (int64_t first = 0; first < s.k; first += depth) {
    const int64_t length = std::min(depth, s.k - first);
    if (packed > 0) pack(s, panels, b, first, length, packed, scratch);
    auto body = [&](int64_t chunk) {
      const int64_t begin = chunk / chunks.groups * chunks.block, end = std::min(begin + chunks.block, s.m);
      const int64_t first_panel = chunk % chunks.groups * chunks.panels, last_panel = std::min(first_panel + chunks.panels, panels.count);
      GemmRowsArgs args{};
      GemmRun run{};
      const float* rows[kMaxRows];
      float* out[kMaxRows];
      args.rows = rows;
      args.runs = &run;
      args.run_count = 1;
      args.out = out;
      args.accumulate = first > 0;
      args.activation = first + length == s.k ? activation : Activation::linear;
      run.length = length;
      for (int64_t panel = first_panel; panel < last_panel; ++panel) {
        const bool is_packed = panel >= panels.count - packed;
        run.b = is_packed ? scratch + (panel - panels.count + packed) * length * panels.width : b + first * s.n + panels.first(panel);
        args.ldb = is_packed ? panels.width : s.n;
        args.out_offset = panels.first(panel);
        args.bias = bias != nullptr && first + length == s.k ? bias + args.out_offset : nullptr;
        args.vectors = panels.vectors_of(panel);
        args.columns = panels.columns_of(panel);
        for (int64_t i = begin; i < end; i += panels.rows) {
          args.m = static_cast<int32_t>(std::min<int64_t>(panels.rows, end - i));
          for (int32_t r = 0; r < args.m; ++r) {
            rows[r] = a + (i + r) * s.k + first;
            out[r] = y + (i + r) * s.n;
          }
          table.gemm_rows(args);
        }
      }
    };
    parallel_blocks(chunks.count(), 1, [&](int64_t chunk, int64_t) { body(chunk); });
  }
}

void gemm_by_columns(const GemmSizes& s, const float* a, const float* b, float* y, float* scratch) {
  const KernelTable& table = kernels();
  const Panels panels(s.n);
  if (s.transpose_b) pack(s, panels, b, 0, s.k, panels.count, scratch);
  const int64_t depth = depth_of(s.k, kColumnsDepth);
  const Chunks chunks(s, panels, kBlockRows);
  parallel_blocks(chunks.count(), 1, [&](int64_t chunk, int64_t) {
    const int64_t begin = chunk / chunks.groups * chunks.block, end = std::min(begin + chunks.block, s.m);
    const int64_t first_panel = chunk % chunks.groups * chunks.panels, last_panel = std::min(first_panel + chunks.panels, panels.count);
    GemmColsArgs args{};
    GemmColsRun run{};
    args.runs = &run;
    args.run_count = 1;
    args.lda = s.m;
    args.ldb = s.transpose_b ? panels.width : s.n;
    args.ldc = s.n;
    for (int64_t first = 0; first < s.k; first += depth) {
      args.accumulate = first > 0;
      run.length = std::min(depth, s.k - first);
      for (int64_t panel = first_panel; panel < last_panel; ++panel) {
        run.b = s.transpose_b ? scratch + (panel * s.k + first) * panels.width : b + first * s.n + panels.first(panel);
        args.vectors = panels.vectors_of(panel);
        args.columns = panels.columns_of(panel);
        for (int64_t i = begin; i < end; i += panels.rows) {
          run.a = a + first * s.m + i;
          args.c = y + i * s.n + panels.first(panel);
          args.m = static_cast<int32_t>(std::min<int64_t>(panels.rows, end - i));
          table.gemm_cols(args);
        }
      }
    }
  });
}

}  // namespace

int64_t gemm_scratch_floats(const GemmSizes& sizes) {
  const Panels panels(sizes.n);
  return packed_panels(sizes, panels) * panels.width * (sizes.transpose_a ? sizes.k : depth_of(sizes.k, kRowsDepth));
}

void gemm(const GemmSizes& sizes, const float* a, const float* b, const float* bias, Activation activation, float* y, float* scratch) {
  if (sizes.transpose_a) {
    gemm_by_columns(sizes, a, b, y, scratch);
  } else {
    gemm_by_rows(sizes, a, b, bias, activation, y, scratch);
  }
}

}  // namespace convlane
