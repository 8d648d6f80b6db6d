// SPDX-License-Identifier: MIT
// The border between native/core (no instruction set) and native/targets (one table of kernels per instruction set).
#pragma once
#include <cstdint>

#include "convolution_kernels.h"

namespace convlane {

constexpr int kMaxVectors = 4;  // widest GEMM tile, in vectors
constexpr int kMaxRows = 16;    // most rows of any GEMM tile

// One stretch of the reduction of a row-pointer GEMM: `length` values from each row, against `length` rows of B.
struct GemmRun {
  const float* b;  // packed: row k at b + k * ldb
  int64_t length;
};

// out[i][j] = act( (accumulate ? out[i][j] : 0) + sum over runs r, k < length_r of rows[r * m + i][rows_offset + k] * b_r[k * ldb + j] + bias[j] )
// B rows hold `vectors * width` readable floats (padded by zeros); `out` and `bias` hold `columns` of them only.
// Convolution forward and input gradient, dense, matmul. Rows need not be aligned; b is aligned to 64 bytes when ldb is a multiple of width.
struct GemmRowsArgs {
  const float* const* rows;  // runs x m pointers
  int64_t rows_offset;       // of these and of those of `ahead`
  const GemmRun* runs;
  int64_t run_count;
  int64_t ldb;
  float* const* out;         // m pointers; column 0 of the tile is out[i][out_offset]
  int64_t out_offset;
  const float* bias;         // `columns` values at this tile's column 0, or null
  int32_t m;                 // rows of this tile: 1 .. rows_of[vectors]
  int32_t vectors;           // 1 .. kMaxVectors
  int32_t columns;           // (vectors - 1) * width < columns <= vectors * width
  Activation activation;     // applied after bias; only when this is the last part of the reduction
  bool accumulate;
  bool stream;               // write past the caches: columns is vectors * width, and every row of the tile aligned to the vector. Ends with stream_fence()
  const float* const* ahead; // null, or the rows of a later tile, with as many runs as long as these: fetched meanwhile by whole tiles
  float* copy;               // null, or where the rows of B are copied to, vectors * width apart: what other tiles then read. Of whole tiles of one run
  bool fetch_out;            // fetch the lines of `out` first: they are far away
};

// c[i * ldc + j] = act( sum over p < k of a[i * lda + p] * b[p * ldb + j] + bias[j] ), i < rows: 1 x 1 windows. B as above.
struct GemmPanelArgs {
  const float *a, *b;
  int64_t lda, ldb, k;
  float* c;
  int64_t ldc;
  const float* bias;      // `columns` values, or null
  int64_t rows;           // rows_of[vectors] at least
  int32_t vectors;        // 1 .. kMaxVectors
  int32_t columns;        // (vectors - 1) * width < columns <= vectors * width
  Activation activation;
  bool stream;            // as above
  bool fetch;             // rows of the next tiles, while one multiplies: asked of panels of one vector only, others do
  int64_t claimed_rows;   // rows of c, from the first on, whose lines are fetched a tile before they are written: by a later call those from `rows` on
};

// c[i * ldc + j] (+)= sum over runs r, p < length_r of a_r[p * lda + i] * b_r[p * ldb + j]      (A is k-major: nothing is packed)
// Weight gradients of convolution and dense; transposed-A matmul. Reads only i < m, j < columns.
struct GemmColsRun {
  const float* a;
  const float* b;
  int64_t length;
};
// Copies that a tile makes meanwhile, one with each p: of as many floats as it has rows, and of those that fill the last vector, so that what follows `from` can
// be read and what follows `to` is free.
struct GemmCopies {
  const float* from;
  float* to;
  int64_t from_step, to_step;  // from one to the next, `together` times,
  int64_t from_turn, to_turn;  // and then
  int64_t together;
  int64_t left;                // before the first turn
  int64_t count;
  int64_t ahead;               // floats from what is copied to what is fetched: any address
};
struct GemmColsArgs {
  const GemmColsRun* runs;
  int64_t run_count;
  int64_t a_offset;  // added to every run's a
  int64_t b_offset;  // added to every run's b
  int64_t lda, ldb;
  float* c;
  int64_t ldc;
  int32_t m;         // 1 .. rows_of[vectors], or strip_rows
  int32_t vectors;
  int32_t columns;
  bool accumulate;
  const float* const* next;  // lines that are read soon after: fetched, one with each p
  int64_t next_lines;
  GemmCopies copies;         // no more than p. Of whole tiles of strip_vectors
};

// y[i * ldy + j] = sum over p < k of a[i * lda + p] * b[j * ldb + p], i < m, j < n: for few rows of a, which each row of b meets in the cache. The sums go in
// vector lanes, one chain for each.
struct GemmDotsArgs {
  const float* a;
  const float* b;
  int64_t lda, ldb, m, n, k;
  float* y;
  int64_t ldy;
};

// y[i * ldy + j] = sum over p < k of a[i * lda + p] * b[p * ldb + j], i < m, j < columns: for few rows of a; B is read once, in the order in which it lies.
// One chain for each sum, in the order of p: the bits of gemm_rows.
struct GemmThinArgs {
  const float *a, *b;
  int64_t lda, ldb, m, k, columns;
  float* y;
  int64_t ldy;
};

// Positions along a row that are computed alike, each from the operands of the one before moved by a step.
struct PoolRun {
  int64_t count = 1;
  int64_t step = 0;     // floats from a position of the larger image (x, dx) to the next; those of the smaller one lie `channels` apart
  bool stream = false;  // write past the caches: every position of the result must lie at a multiple of 64 bytes, and `channels` be one of 16. The caller ends
                        // with stream_fence(), once for many runs
  const float* ahead = nullptr;  // what is read soon after, `ahead_step` floats with each position: fetched into L2. May be any address
  int64_t ahead_step = 0;
};
// Output positions of a pooling window over `channels` contiguous channels. taps[t] points at channel 0 of the t-th position inside the input
// (row-major order) of the run's first window; positions outside the input are left out, and tap_ids[t] is the position's number in the full window.
struct PoolMaxArgs {
  const float* const* taps;
  const int32_t* tap_ids;
  int32_t tap_count;   // >= 1
  float* y;
  int32_t* positions;  // number of the first maximum (NaN wins), or null
  int64_t channels;
  PoolRun run = {};
};
struct PoolAverageArgs {
  const float* const* taps;
  int32_t tap_count;
  float scale;         // 1 / divisor
  float* y;
  int64_t channels;
  PoolRun run = {};
};
// dx of input positions: the sum over the windows that cover it. Written once: no zero fill.
struct PoolMaxBackwardArgs {
  const float* const* dy;            // window_count pointers at channel 0 of the window's output
  const int32_t* const* positions;   // the same for the saved positions
  const int32_t* tap_ids;            // which tap of that window this input position is
  int32_t window_count;              // may be 0: dx = 0
  float* dx;
  int64_t channels;
  PoolRun run = {};
};
// out = the sum of weight times row, over rows of `channels` values. The gradient of averages, and resizing both ways.
struct WeightedSumArgs {
  const float* const* rows;          // pointers at channel 0
  const float* weights;
  int32_t count;                     // may be 0: out = 0
  float* out;
  int64_t channels;
  PoolRun run = {};                  // `out` takes the steps of the larger image
};

// y = (sum of |x|^p)^(1/p) over the taps.
struct PoolLpArgs {
  const float* const* taps;
  int32_t tap_count;   // >= 1
  float p;             // >= 1
  float* y;
  int64_t channels;
};
// dx = the sum over windows of dy sign(x) (|x| / y)^(p - 1); windows whose y is 0 give nothing.
struct PoolLpBackwardArgs {
  const float* x;
  const float* const* dy;
  const float* const* y;
  int32_t window_count;              // may be 0: dx = 0
  float p;
  float* dx;
  int64_t channels;
};

// Rows of the gradient of batch normalisation; mean, scale and gate have a value for each column.
struct NormGradient {
  const float *dy, *x;
  const float *mean, *scale;
  const float* gate;  // null, or: what counts as dy is 0 unless (x - mean) scale + gate > 0, as `batch_norm` computes it
  int64_t rows, columns;

  NormGradient part(int64_t first, int64_t count) const { return {dy + first * columns, x + first * columns, mean, scale, gate, count, columns}; }
};

struct SgdArgs {
  float* param; float* velocity;     // velocity may be null (momentum 0)
  const float* grad;
  int64_t count;
  float learning_rate, momentum;
  float weight_decay;                // added to the gradient
  float kept;                        // what remains of the weight before the step: 1 - learningRate * decoupled weight decay
  bool nesterov;
};
struct AdamArgs {
  float *param, *m, *v;
  const float* grad;
  int64_t count;
  float step_size;                   // learningRate / (1 - beta1^t)
  float beta1, beta2, epsilon;
  float inverse_sqrt_correction;     // 1 / sqrt(1 - beta2^t)
  float weight_decay;                // L2, added to the gradient (PyTorch's Adam)
  float kept;                        // as in SgdArgs (AdamW)
};
struct RmspropArgs {
  float *param, *square;
  float *mean, *velocity;            // may be null: not centered, without momentum
  const float* grad;
  int64_t count;
  float learning_rate, alpha, epsilon, momentum, weight_decay, kept;
};
struct AdagradArgs {
  float *param, *sum;
  const float* grad;
  int64_t count;
  float learning_rate, initial, epsilon, weight_decay, kept;
};

// All kernels: no allocation, no libm, no exceptions. Pointers need float alignment only. In place (y == x, dx == dy) is
// allowed for the elementwise ones. `count` may be any value >= 0.
struct KernelTable {
  const char* name;             // "scalar", "avx2", "avx512", "neon": compiled into the target's own object
  int32_t width;                // floats in a vector
  int32_t rows_of[kMaxVectors + 1];  // rows of the GEMM tile by number of vectors: of more vectors, as many or fewer
  int32_t planned_rows_of[kMaxVectors + 1];  // the same on every processor: what the order of sums depends on is decided by these
  int32_t vectors;              // widest tile (<= kMaxVectors)
  int32_t strip_rows, strip_vectors;  // tile of gemm_cols where both sides are packed

  void (*gemm_rows)(const GemmRowsArgs&);
  void (*gemm_panel)(const GemmPanelArgs&);
  void (*gemm_cols)(const GemmColsArgs&);
  void (*gemm_dots)(const GemmDotsArgs&);
  void (*gemm_thin)(const GemmThinArgs&);
  void (*gemm_outer)(const float* a, const float* b, int64_t m, int64_t n, float* y);  // y[i * n + j] = a[i] b[j]
  void (*stream_zeros)(float* to, int64_t count);  // past the caches; `to` aligned to the vector, `count` a multiple of it. Ends with stream_fence()
  void (*stream_fence)();                            // after streams, before other threads read what they wrote
  // packed[k * ldp + j] = b[k * ldb + j], j < columns, zero up to `padded` columns.
  void (*pack_rows)(const float* b, int64_t ldb, int64_t k, int64_t columns, int64_t padded, float* packed, int64_t ldp);
  // packed[k * ldp + j] = b[j * ldb + k]: the same from a transposed B.
  void (*pack_transposed)(const float* b, int64_t ldb, int64_t k, int64_t columns, int64_t padded, float* packed, int64_t ldp);
  // packed[(j / rows) * distance + k * rows + j % rows] = a[k * lda + j], j < columns: A by columns for tiles of so many rows. Of a last strip of fewer columns,
  // the rest is left as it was.
  void (*pack_strips)(const float* a, int64_t lda, int64_t k, int64_t columns, int32_t rows, float* packed, int64_t distance);

  void (*grouped_convolution)(const GroupedArgs&);
  void (*grouped_weights)(const GroupedWeightsArgs&);
  void (*depthwise_lines)(const DepthwiseLinesArgs&);
  bool depthwise_whole_lines;  // with stride 1, 5 or 7 taps, a vector of channels and 4 columns or more: columns that reach past an edge among the others
  void (*depthwise_line_weights)(const DepthwiseLineWeightsArgs&);
  // Of 3 taps, and with a stride of 2 forward of 5 where depthwise_windows5, and at least a vector of channels; of 3, 5 or 7. Stride 1 or 2.
  void (*depthwise_convolution)(const DepthwiseArgs&);
  bool depthwise_windows5;
  void (*depthwise_tiles)(const DepthwiseTilesArgs&);  // 3 x 3
  void (*depthwise_weights)(const DepthwiseWeightsArgs&);
  void (*depthwise_strip_weights)(const DepthwiseStripArgs&);

  int32_t few_terms_of[kMaxVectors + 1];  // most rows of a tile of few_cols, by number of vectors
  void (*few_rows)(const FewRowsArgs&);
  void (*few_cols)(const FewColsArgs&);
  void (*few_gather)(const FewGatherArgs&);
  void (*few_dots)(const FewDotsArgs&);

  void (*pool_max)(const PoolMaxArgs&);
  void (*pool_average)(const PoolAverageArgs&);
  void (*pool_max_backward)(const PoolMaxBackwardArgs&);
  void (*weighted_sum)(const WeightedSumArgs&);
  void (*pool_lp)(const PoolLpArgs&);
  void (*pool_lp_backward)(const PoolLpBackwardArgs&);

  void (*activate)(Activation, const float* x, float* y, int64_t count);                            // NaN passes through
  // From the output y or the input x, as the kind says (Activation). Where slopes meet, that of the lower side: relu'(0) = 0.
  // The gradient of the result is dy + also (null: dy alone).
  void (*activate_backward)(Activation, const float* dy, const float* also, const float* from, float* dx, int64_t count);
  void (*add)(const float* a, const float* b, float* y, int64_t count, Activation);
  void (*multiply)(const float* a, const float* b, float* y, int64_t count);
  void (*scale)(const float* x, float s, float* y, int64_t count);
  void (*axpy)(float s, const float* x, float* y, int64_t count);                                   // y += s x
  void (*unary)(Unary, const float* x, float* y, int64_t count);
  void (*clip)(float low, float high, const float* x, float* y, int64_t count);                     // NaN passes through
  // y[i] = f(a[i * a_step], b[i * b_step]); steps are 0 or 1. Comparisons give 0 or 1; minimum and maximum NaN where either is.
  void (*binary)(Binary, const float* a, int64_t a_step, const float* b, int64_t b_step, float* y, int64_t count);
  // y = c != 0 ? a : b, steps as above
  void (*where)(const float* c, int64_t c_step, const float* a, int64_t a_step, const float* b, int64_t b_step, float* y, int64_t count);
  // The sum (blocks of 1024, each in vector lanes, merged in order) or the extreme of count >= 1 values; NaN wins.
  float (*reduce)(Reduction, const float* x, int64_t count);
  // out[j] = the extreme over r < rows of x[r * columns + j], rows >= 1; NaN wins
  void (*column_extremes)(Reduction, const float* x, int64_t rows, int64_t columns, float* out);
  // y[r * columns + j] = x[...] * scale[j % period] + offset[j % period]; period divides columns. From bytes and from floats.
  void (*normalize_u8)(const uint8_t* x, const float* scale, const float* offset, int64_t period, float* y, int64_t count);
  void (*normalize_f32)(const float* x, const float* scale, const float* offset, int64_t period, float* y, int64_t count);
  // out[j] = sum over r < rows of x[r * ld + j] (in order of r, one chain per column; pairwise over blocks of 64 rows so that the error stays small)
  void (*column_sums)(const float* x, int64_t rows, int64_t columns, int64_t ld, float* out);
  // Of each column: its mean and the sum of squared distances from it; rows >= 1, contiguous. Leaves of 64 rows, merged by a binary tree.
  void (*column_moments)(const float* x, int64_t rows, int64_t columns, float* mean, float* squares);
  // Of each column: the sums of dy and of dy (x - mean), by the same tree.
  void (*column_products)(const NormGradient&, float* sums, float* products);
  // y = act((x - mean) scale + offset + residual), with one mean, scale and offset for each column; y may be x or the residual (null: none). `stream`:
  // past the caches; y must lie at a multiple of 64 bytes and the columns be one of 16.
  void (*batch_norm)(const float* x, const float* mean, const float* scale, const float* offset, const float* residual, int64_t rows, int64_t columns,
                     Activation, bool stream, float* y);
  // dx = dy scale + (x - mean) slope + offset, with one of each for each column. dx may be dy or x.
  void (*batch_norm_backward)(const NormGradient&, const float* slope, const float* offset, float* dx);
  // Of each row of `columns` >= 1: its mean, and the mean squared distance from it; where not centered, the mean square, and `mean` may be null. Sums go in
  // vector lanes over blocks of 1024, merged in order in double precision.
  void (*row_moments)(const float* x, int64_t rows, int64_t columns, bool centered, float* mean, float* variance);
  // y = act((x - mean) inverse gamma + beta), with one mean (null: 0) and inverse for each row, one gamma and beta for each column.
  void (*row_norm)(const float* x, const float* mean, const float* inverse, const float* gamma, const float* beta, int64_t rows, int64_t columns, Activation,
                   float* y);
  // The gradient of that without an activation, the mean (null: 0) and the inverse deviation being those of x: dx (or null), and dgamma += dy (x - mean)
  // inverse, dbeta += dy, one chain per column (or both null).
  void (*row_norm_backward)(const float* dy, const float* x, const float* mean, const float* inverse, const float* gamma, int64_t rows, int64_t columns,
                            float* dx, float* dgamma, float* dbeta);
  // y = softmax of each row; rows x columns, contiguous.
  void (*softmax)(const float* x, int64_t rows, int64_t columns, float* y);
  void (*softmax_backward)(const float* dy, const float* y, int64_t rows, int64_t columns, float* dx);
  // y = log softmax of each row, and dx = dy - exp(y) * sum(dy)
  void (*log_softmax)(const float* x, int64_t rows, int64_t columns, float* y);
  void (*log_softmax_backward)(const float* dy, const float* y, int64_t rows, int64_t columns, float* dx);
  // losses[r] = -log softmax(logits[r])[label[r]], dlogits = (softmax - onehot) * scale. A label outside 0 .. columns-1 gives NaN in that row.
  void (*softmax_cross_entropy)(const float* logits, const int32_t* labels, int64_t rows, int64_t columns, float scale, float* losses, float* dlogits);
  // the same with a distribution per row: losses[r] = -sum_j target * log softmax; dlogits = (softmax * sum(target) - target) * scale
  void (*softmax_cross_entropy_dense)(const float* logits, const float* targets, int64_t rows, int64_t columns, float scale, float* losses, float* dlogits);
  // returns sum of squared differences (blocks of 1024, each in vector lanes, merged in order); dp = (p - t) * scale
  double (*squared_error)(const float* p, const float* t, int64_t count, float scale, float* dp);
  // y = keep(mask) ? x * scale : 0. Mask from Philox4x32-10, key = (seed_lo, seed_hi), counter = (index / 4, stream, step_lo, step_hi), word index % 4;
  // an element is dropped when its word < threshold. `first` is the index of x[0].
  void (*dropout)(const float* x, float* y, int64_t first, int64_t count, uint32_t threshold, float scale, uint64_t seed, uint32_t stream, uint64_t step);

  WinogradKernels winograd[kWinogradSizes];
  void (*winograd_product)(const WinogradProduct&);
  int32_t product_rows, product_vectors;  // tile of the product
  void (*winograd_multiply)(const WinogradMultiply&);

  void (*sgd)(const SgdArgs&);
  void (*adam)(const AdamArgs&);
  void (*rmsprop)(const RmspropArgs&);
  void (*adagrad)(const AdagradArgs&);
  double (*sum_of_squares)(const float* x, int64_t count);           // blocks of 1024, each in four chains of vector lanes, merged in order
  void (*clip_by_value)(const float* x, float limit, float* y, int64_t count);  // to -limit .. limit; NaN passes through

  // Benchmarks: `iterations` rounds of independent register FMAs; returns operations done (an FMA counts two) and a value that keeps them alive.
  double (*probe_fma)(int64_t iterations, float* sink);
  void (*probe_triad)(float* a, const float* b, const float* c, float s, int64_t count);
  // The same with stores past the caches; count is a multiple of 16, the arrays begin at multiples of 64 bytes.
  void (*probe_triad_past_caches)(float* a, const float* b, const float* c, float s, int64_t count);
};

// The active table: see dispatch.h.
const KernelTable& kernels();
}  // namespace convlane
