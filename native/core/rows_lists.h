// SPDX-License-Identifier: MIT
// What one run of RowsConvolution hands to its parts, and the row pointers that its tiles read through.
#pragma once
#include "rows_convolution.h"

namespace convlane {

// One run: the operands and the sizes that depend on n.
struct RowsConvolution::Call {
  int64_t n;
  const float* source;
  const float* bias;
  Activation activation;
  float* target;
  const float* zeros;  // what padding reads: as long as the longest run
  WeightView weights;
  bool across;         // tiles take the same pixel of several images
  bool stream;         // the target is written past the caches
  bool far;            // the target is not in L2 when its turn comes
  bool ahead;          // what later tiles read is not in a cache near by

  bool claims() const { return far && !stream; }
};

// How a run is cut into chunks: block_chunks x unit_chunks, each a stretch of blocks of pixels and of units (panels of groups).
struct RowsConvolution::Cuts {
  int64_t block;            // pixels
  int64_t blocks_of_phase;  // the largest phase's; others may lack the last ones
  int64_t blocks;
  int64_t block_chunks, unit_chunks;
  int64_t tiles, runs;      // of one block, at most; runs of one tile
  int64_t patch;            // copied floats of one pixel, or 0

  int64_t lists_floats(int32_t rows) const;
};

// Pointer lists of one block, in the thread's scratch memory.
struct RowsConvolution::Lists {
  struct Tile {
    const float** rows;
    GemmRun* runs;
    int64_t run_count;
    float** out;
    int32_t m;
  };
  Tile* tiles;
  const float** rows;
  GemmRun* runs;
  float** out;
  float* patches;
  int32_t* padding;                        // which of the rows are zeros
  int64_t tile_count, row_count, total_runs, pixel_count, padding_count;
  int64_t rows_offset, out_offset;           // how far the lists were moved. Rows of zeros begin as much before these
  int64_t phase = -1, begin = 0, group = 0;  // what is listed: pixels from `begin` on
  int64_t panel = 0;                         // of the weights that the runs point at

  Lists(float* memory, const Cuts& cuts, int32_t m) {
    tiles = reinterpret_cast<Tile*>(memory);
    runs = reinterpret_cast<GemmRun*>(tiles + cuts.tiles);
    out = reinterpret_cast<float**>(runs + cuts.tiles * cuts.runs);
    rows = const_cast<const float**>(out + cuts.tiles * m);
    padding = reinterpret_cast<int32_t*>(rows + cuts.tiles * cuts.runs * m);
    patches = reinterpret_cast<float*>(padding + cuts.tiles * cuts.runs * m);
    clear();
  }
  void clear() { tile_count = row_count = total_runs = pixel_count = padding_count = rows_offset = out_offset = 0; }
};

}  // namespace convlane
