// SPDX-License-Identifier: MIT
// What the kernels of convolutions are given, but for those that are products of rows (GemmRowsArgs, GemmColsArgs).
#pragma once
#include "functions.h"

namespace convlane {

// Which of the points 0 (first) and infinity (last) are needed, in rows and in columns of points.
struct WinogradNeeds {
  bool first_row, last_row, first_column, last_column;
};
// One tile of Winograd's F(m, r), over `channels` contiguous channels: a square of pixels, row by row, through pointers, and n x n points. Point i of channel c
// is at points + i * step + c / 16 * line + c % 16.
struct WinogradTile {
  const float* const* pixels;  // n x n
  float* points;
  int64_t step, line;
  int64_t channels;
  const float* const* next;    // the pixels of the tile that comes next, which are fetched, or null
  WinogradNeeds needs;         // other points are left alone
};
// Tiles of outputs: point i of tile t at points + i * step + t * width, its m x m pixels at pixels[t * m * m ..] + offset, or null where there is none.
struct WinogradOutput {
  const float* points;
  int64_t step, width;
  float* const* pixels;
  int64_t tiles, channels, offset;
  bool stream;           // past the caches: all pixels lie at multiples of a vector
  const float* bias;     // `channels` values, or null
  bool relu;
};
constexpr int kWinogradLine = 16;
struct WinogradRange {
  int64_t first, count;
};
// products_i [tile, column] (+)= points_i [tile, channel] filters_i [channel, column] for each point i and its range of tiles. Channel k of a tile is at
// from + i * point_step + k / 16 * group_step + tile * 16 + k % 16. Columns beyond the panel's own are computed from whatever is there.
struct WinogradMultiply {
  const float* from;
  int64_t point_step, group_step;
  const float* filters;
  int64_t filter_step;       // between points
  float* products;
  int64_t product_step;      // between points
  int64_t width;             // of rows of filters and of products
  int64_t points, depth;
  const WinogradRange* ranges;  // of each point
  int64_t part;              // longest chain of sums, a multiple of 16
  bool accumulate;
  int32_t vectors;           // of columns, 1 .. product_vectors
  const float* const* fetch; // point by point that has tiles, for every 16 channels: the first of 16 lines, fetch_step apart, that come near meanwhile, or null. Or null
  int64_t fetch_step;
};
// Windows of `count` filters, whole vectors of them: position i at from + i * from_step, what becomes of it at to + i * to_step.
struct WinogradFilters {
  const float* from;
  int64_t from_step;
  float* to;
  int64_t to_step, count;
};
// The gradient by the filters keeps points in lines of 16 channels. One tile: a square of pixels through pointers; point i of channels 16 g .. to
// to + g * group + i * step, zeros for channels that are not there. From a pixel to that of the next tile in its row: `ahead` floats, fetched beforehand; 0 where
// all is near.
struct WinogradLines {
  const float* const* pixels;
  int64_t channels, ahead;
  float* to;
  int64_t step, group;
  WinogradNeeds needs;       // other points are left alone
};
// One point's product: to[row * ld + column] = sum over tiles of a [tile, row] b [tile, column], where channel c of tile t is at c / 16 * group + 16 t + c % 16.
// Sums of `part` tiles are added up in order. Rows are a multiple of 4, columns one of the vector.
struct WinogradProduct {
  const float *a, *b;
  int64_t a_group, b_group;
  int64_t point_step;        // to those of the next point, of which lines are fetched
  int64_t tiles, part;
  int64_t rows, columns;
  float* to;
  int64_t ld;
  const float* next;         // is fetched meanwhile, next_step floats with each tile of a few rows
  int64_t next_step;
};
// taps (+)= G^T points G for rows x columns filters: point i at from + i * from_step + row * from_row, tap i at to + i * to_step + row * to_row.
struct WinogradTaps {
  const float* from;
  int64_t from_step, from_row;
  float* to;
  int64_t to_step, to_row;
  int64_t rows, columns;   // points have whole vectors of columns
  bool accumulate;
  bool stream;             // past the caches: everything of `to` and its steps whole lines
};
struct WinogradGradient {
  void (*x)(const WinogradLines&);    // B^T pixels B
  void (*dy)(const WinogradLines&);   // A pixels A^T
  void (*taps)(const WinogradTaps&);
};
// For m x m outputs of an r x r window. y = A^T [ (G w G^T) . (B^T x B) ] A; dw = G^T [ (B^T x B) . (A dy A^T) ] G, summed over tiles in the brackets.
struct WinogradKernels {
  int32_t points, outputs, taps;                   // n = m + r - 1, m, r
  void (*input)(const WinogradTile&);              // points = B^T pixels B
  void (*output)(const WinogradOutput&);           // pixels = A^T points A + bias, relu
  void (*filters)(const WinogradFilters&);         // G w G^T
  WinogradGradient gradient;
};
constexpr int kWinogradSizes = 5;  // F(2,3), F(4,3), F(6,3), F(2,5), F(4,5)
// A row of taps of one line of the target: what the first tap of column 0 reads, and that tap's weights.
struct DirectRow {
  const float* x;
  const float* w;
};
struct DirectLine {
  const DirectRow* rows;
  int64_t row_count;         // may be 0
  float* y;                  // column 0, channel 0
};
// Convolution of groups: each channel of the target reads its own of the source.
// y[i * ldy + c] = act( sum over rows r, t < taps of x_r[i * step + t * reach + c] * w_r[t * ldw + c] + bias[c] ),   i < columns, c < channels
struct DepthwiseLinesArgs {
  const DirectLine* lines;
  int64_t line_count;
  int64_t x_offset, w_offset, y_offset;
  int64_t taps;              // may be 0
  int64_t step, reach;
  int64_t ldw, ldy;
  int64_t columns, channels;
  int64_t low, high;         // what tap t of column i reads lies inside for i + t from low to high - 1; all do but where depthwise_whole_lines says otherwise
  int64_t x_ahead, y_ahead;  // floats from the last row of taps, and from the line, to those that come next: to be prefetched. y_ahead 0: neither
  const float* bias;         // or null
  Activation activation;
};
// sums_r[t * lds + c] += sum over i < columns of x_r[i * step + t * reach + c] * dy[i * ldy + c]
struct DepthwiseLineWeightsRow {
  const float* x;
  float* sums;
};
struct DepthwiseLineWeightsArgs {
  const DepthwiseLineWeightsRow* rows;
  int64_t row_count;
  int64_t x_offset, sums_offset;
  const float* dy;
  int64_t taps, step, reach, lds, ldy;
  int64_t columns, channels;
  int64_t x_ahead, dy_ahead;  // as in DepthwiseLinesArgs; dy_ahead 0: neither
};

// Groups side by side in a vector of targets: `together` whole ones, or the vectors one by one of a group that fills them.
constexpr int kGroupSources = 32;  // most channels of the source that a vector of targets reads
struct GroupLanes {
  int64_t from, to;          // channels of a group: of the source, of the target
  int64_t groups, together;  // together > 1: that many times to, and from, are at most a width
  int64_t width;             // of a vector
};
// Not members: a member that isn't inlined has a name that all instruction sets share.
namespace {
inline int64_t vectors_of_group(const GroupLanes& g) { return (g.to + g.width - 1) / g.width; }
inline int64_t vector_count(const GroupLanes& g) { return g.together > 1 ? (g.groups + g.together - 1) / g.together : g.groups * vectors_of_group(g); }
inline int64_t group_of(const GroupLanes& g, int64_t vector) { return g.together > 1 ? vector * g.together : vector / vectors_of_group(g); }
inline int64_t groups_of(const GroupLanes& g, int64_t vector) {
  const int64_t left = g.groups - group_of(g, vector);
  return g.together > 1 && left < g.together ? left : g.together;
}
inline int64_t source_of(const GroupLanes& g, int64_t vector) { return group_of(g, vector) * g.from; }
inline int64_t target_of(const GroupLanes& g, int64_t vector) {
  return group_of(g, vector) * g.to + (g.together > 1 ? 0 : vector % vectors_of_group(g) * g.width);
}
inline int sources_of(const GroupLanes& g, int64_t vector) { return static_cast<int>(groups_of(g, vector) * g.from); }
inline int targets_of(const GroupLanes& g, int64_t vector) {
  const int64_t rest = g.together > 1 ? groups_of(g, vector) * g.to : g.to - vector % vectors_of_group(g) * g.width;
  return static_cast<int>(rest < g.width ? rest : g.width);
}
}  // namespace
// A row of taps, or a single one: the first tap of target column 0 reads column `offset` of the source's line at x. Weights of vector 0, of which each has
// [channel of a group][tap][lane].
struct GroupedRow {
  const float* x;
  const float* w;
  int64_t offset;
};
struct GroupedLine {
  const GroupedRow* rows;
  int64_t row_count;         // may be 0
  float* y;                  // column 0, channel 0
  const float* next;         // column 0 of `ahead` lines of the source that are fetched meanwhile
};
// y[q * y_step + c] = act( sum over rows r, t < taps, channels i of c's group of x_r[j * x_step + i] * w_r[i][t][c] + bias[c] ),   q < target, 0 <= j < source
// where j = q * step + offset + t. Pairs: q = 2 j - before + t, and each row's offset is -1.
struct GroupedArgs {
  const GroupLanes* lanes;
  int64_t first_vector, last_vector;
  int64_t w_vector;          // floats from one vector's weights to the next one's
  const GroupedLine* lines;
  int64_t line_count;
  int64_t taps, step;        // 3 taps with a step of 1 or 2, or 1 with any
  bool pairs;                // 3 taps
  int64_t x_step, y_step;
  int64_t source, target, before;
  int64_t ahead, ahead_line, y_ahead;  // lines, and floats from line to line, and to what is written next. ahead 0: nothing is fetched
  const float* bias;         // or null
  Activation activation;
  bool streams;              // past the caches: all vectors are whole, and y and its steps multiples of them. The caller ends with stream_fence()
};
// sums_r[i][t][c] += sum over lines l, q < target, 0 <= j < source of x_r[l * x_line + j * x_step + i] * dy[l * dy_line + q * dy_step + c], with j as above.
// Lines and columns are added in order.
struct GroupedWeightsRow {
  const float* x;
  float* sums;               // of vector 0
  int64_t offset;
};
struct GroupedWeightsArgs {
  const GroupLanes* lanes;
  int64_t first_vector, last_vector;
  int64_t sums_vector;
  const GroupedWeightsRow* rows;
  int64_t row_count;
  const float* dy;
  int64_t lines, x_line, dy_line;
  int64_t taps, step;
  int64_t x_step, dy_step;
  int64_t source, target;
};

// Rows of taps: the source's column 0, and the row's first weight.
struct DepthwiseRow {
  const float* x;
  const float* w;
};
// `lines` neighbouring lines of the target. Of one line: any rows. Of several: (lines - 1) * stride + taps rows of the source, of which line l has `taps`
// from l * stride on, with the weights of the first `taps` rows.
struct DepthwiseStrip {
  const DepthwiseRow* rows;
  int64_t row_count;         // may be 0
  int64_t lines;
  float* y;                  // column 0 of the first line
};
// Lines of the target, of which every channel reads its own of the source:
//   y[i * y_step + c] = act( sum over rows r, t < taps, 0 <= j < source of x_r[j * x_step + c] * w_r[t * w_step + c] + bias[c] ),   i < target, c < channels
// where j = i * stride - before + t, or, transposed, i = j * stride - before + t. Columns of the source are added in order.
struct DepthwiseArgs {
  const DepthwiseStrip* strips;
  int64_t strip_count;
  int64_t taps, stride;
  bool transposed;
  int64_t x_step, y_step, w_step;  // floats from column to column, and from tap to tap
  int64_t y_line;                  // floats from line to line of a strip
  int64_t source, target, before;  // columns
  int64_t channels;
  const float* bias;               // or null
  Activation activation;
  int64_t x_ahead, y_ahead;        // floats to what comes next, to be prefetched; 0: nothing
  bool streams;                    // past the caches; y and the steps and lines of it are multiples of 64 bytes. The caller ends with stream_fence()
};
constexpr int32_t kDepthwiseLines = 2;  // most lines of a strip

// Up to kDepthwiseTileLines neighbouring lines of the target, of which every channel reads its own of the source:
//   y[l * y_line + i * step + c] = act( bias + sum over t, u < 3 of x[(l * stride + t) * x_line + j * step + c] * w[c / width][t * 3 + u][c % width] ),
// for l < lines, i < target, c < channels, where row l * stride + t is inside and j = i * stride - before + u lies in 0 .. source - 1. The bias is
// w[c / width][9]. The last vector of w holds the last channels: some of those before it, too.
constexpr int32_t kDepthwiseTileLines = 2;
constexpr int32_t kDepthwiseTileWeights = 10;
struct DepthwiseTilesArgs {
  const float* x;                  // column 0 of the first row, which may lie outside
  uint32_t rows;                   // bit r: row r is inside
  int64_t lines;
  float* y;
  const float* w;
  int64_t stride;                  // 1 or 2, of both axes
  int64_t step;                    // floats from column to column
  int64_t x_line, y_line;          // and from line to line
  int64_t source, target, before;  // columns
  int64_t channels;                // a vector, or more
  Activation activation;
  bool fetches;                    // the strip's worth of lines after this one
  bool streams;                    // as in DepthwiseArgs
};

// sums_r[t * sums_step + c] += sum over lines l, i < target of x_r[l * x_line + j * x_step + c] * dy[l * dy_line + i * dy_step + c], for all rows r, t < taps,
// c < channels, where j = i * stride - before + t lies in 0 .. source - 1. Lines and columns are added in order.
struct DepthwiseWeightsRow {
  const float* x;
  float* sums;
};
struct DepthwiseWeightsArgs {
  const DepthwiseWeightsRow* rows;
  int64_t row_count;
  const float* dy;
  int64_t lines, x_line, dy_line;
  int64_t taps, stride;
  int64_t x_step, dy_step, sums_step;
  int64_t source, target, before;
  int64_t channels;
  int64_t x_ahead, dy_ahead;       // as above
};

// sums[c / width][t * 3 + u][c % width] += sum over l < lines, i < target of x[(l * stride + t) * x_line + j * step + c] * dy[l * dy_line + i * step + c],
// for t, u < 3, c < channels, where row l * stride + t is inside and j = i * stride - before + u lies in 0 .. source - 1; u is the tap of the width.
// With `totals` sums[c / width][9][c % width] += sum over l, i of dy[l * dy_line + i * step + c]. The last vector of sums is of the last channels: of some of
// those before it, too.
constexpr int32_t kDepthwiseStripLines = 2;  // most lines of a strip
constexpr int32_t kDepthwiseStripSums = 10;  // for each channel
struct DepthwiseStripArgs {
  const float* x;                  // column 0 of the first row, which may lie outside
  uint32_t rows;                   // bit r: row r is inside
  const float* dy;
  int64_t lines;
  int64_t x_line, dy_line;         // floats from line to line
  int64_t stride;                  // 1 or 2, of both axes
  int64_t step;                    // from column to column
  int64_t source, target, before;  // columns
  int64_t channels;                // a vector, or more
  float* sums;                     // whole vectors
  bool totals;
  bool fetches;                    // the strip's worth of lines after this one
};

// y[p * ldy + j] = act( sum over t < term_count of x[pixels[p] + terms[t]] * w[t * ldw + j] + bias[j] ),   p < count, j < columns
// Rows of w have `vectors * width` readable floats. Pixels lie in lines of equal length: between neighbours there are at most two distances.
struct FewRowsArgs {
  const float* x;
  const int32_t* pixels;
  int64_t count;
  const int32_t* terms;
  int64_t term_count;
  const float* w;
  int64_t ldw;
  float* y;
  int64_t ldy;
  const float* bias;         // or null
  int32_t vectors, columns;  // (vectors - 1) * width < columns <= vectors * width
  Activation activation;
  const float* ahead;        // what is read soon after: from ahead + i * ahead_floats on, to be prefetched with pixel i
  int64_t ahead_floats;      // 0: nothing
};
// sums[i * lds + j] (+)= sum over p < count of x[pixels[p] + terms[i]] * y[p * ldy + j],   i < m, j < columns;   totals[j] (+)= sum of y[p * ldy + j]
struct FewColsArgs {
  const float* x;
  const int32_t* pixels;
  int64_t count;
  const int32_t* terms;
  const float* y;
  int64_t ldy;
  float* sums;
  int64_t lds;
  float* totals;             // or null
  int64_t ahead[2];          // floats from each row of y to what is read soon after, two lines of it: to be prefetched
  int32_t m;                 // 1 .. few_terms_of[vectors], one less with totals
  int32_t vectors, columns;
  bool accumulate;
};
// line[s * step + i] = sum over reaches r with i < count_r of from_r[s * pixel + i],   s < segments, i < width. In the order of r.
// May read and write up to 3 floats beyond what it says.
struct FewReach {
  const float* from;
  int64_t count;
};
struct FewGatherArgs {
  const FewReach* reaches;
  int64_t reach_count;       // may be 0
  int64_t pixel, segments, width, step;
  float* line;
};

// y[p * y_step + c] = sum over the stretches, i < length, of x[p * pixel + at + i] * w[c * w_step + w_at + i],   p < count, c < channels.
// Each in lanes along a stretch, stretch after stretch.
struct FewStretch {
  int64_t at, w_at, length;
};
struct FewDotsArgs {
  const FewStretch* stretches;
  int64_t stretch_count;     // may be 0
  const float *x, *w;
  int64_t pixel, w_step;
  int64_t ahead;             // lines from there on are fetched, one with each vector of a tile: what comes after so many floats
  float* y;
  int64_t y_step, count;
  int32_t channels;
};

}  // namespace convlane
