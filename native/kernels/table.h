// SPDX-License-Identifier: MIT
// Included last by a target, after its simd header: fills the table with the kernels for its Vec.
#pragma once
#include "../cpu/kernel_table.h"
#include "arithmetic.h"
#include "batch_norm.h"
#include "depthwise.h"
#include "depthwise_tiles.h"
#include "depthwise_weights.h"
#include "depthwise_strip_weights.h"
#include "dropout.h"
#include "elementwise.h"
#include "few_channels.h"
#include "few_dots.h"
#include "gemm.h"
#include "gemm_panel.h"
#include "gemm_thin.h"
#include "grouped.h"
#include "grouped_weights.h"
#include "depthwise_lines.h"
#include "depthwise_line_weights.h"
#include "loss.h"
#include "optimizer.h"
#include "pack.h"
#include "pool.h"
#include "probe.h"
#include "winograd.h"
#include "winograd_gradient.h"
#include "winograd_multiply.h"
#include "row_norm.h"

namespace convlane {
namespace {

// The GEMM tiles of a table: Tiles has their rows by number of vectors.
template <class V, class Tiles>
constexpr void set_tiles(KernelTable& t) {
  for (int v = 1; v <= V::vectors; ++v) t.rows_of[v] = Tiles::rows[v];
  t.gemm_rows = gemm_rows<V, Tiles>;
  t.gemm_panel = gemm_panel<V, Tiles>;
  t.gemm_cols = gemm_cols<V, Tiles>;
}

template <class V>
constexpr KernelTable table_of(const char* name) {
  KernelTable t{};
  t.name = name;
  t.width = V::width;
  t.vectors = V::vectors;
  t.strip_rows = V::strip_rows;
  t.strip_vectors = V::strip_vectors;
  for (int v = 1; v <= V::vectors; ++v) t.planned_rows_of[v] = V::rows[v];
  set_tiles<V, V>(t);

  t.gemm_dots = gemm_dots<V>;
  t.gemm_thin = gemm_thin<V>;
  t.gemm_outer = gemm_outer<V>;
  t.stream_zeros = stream_zeros<V>;
  t.stream_fence = stream_fence;
  t.pack_rows = pack_rows<V>;
  t.pack_transposed = pack_transposed<V>;
  t.pack_strips = pack_strips<V>;

  t.winograd[0] = winograd_kernels<V, 2, 3>();
  t.winograd[1] = winograd_kernels<V, 4, 3>();
  t.winograd[2] = winograd_kernels<V, 6, 3>();
  t.winograd[3] = winograd_kernels<V, 2, 5>();
  t.winograd[4] = winograd_kernels<V, 4, 5>();
  t.winograd_product = winograd_product<V>;
  t.product_rows = V::product_rows;
  t.product_vectors = V::product_vectors;
  t.winograd_multiply = winograd_multiply<V>;
  t.grouped_convolution = grouped_convolution<V>;
  t.grouped_weights = grouped_weights<V>;
  t.depthwise_lines = depthwise_lines<V>;
  t.depthwise_whole_lines = kWholeLines<V, 5, 1>;
  t.depthwise_line_weights = depthwise_line_weights<V>;
  t.depthwise_convolution = depthwise_convolution<V>;
  t.depthwise_windows5 = kDepthwiseWindows5<V>;
  t.depthwise_tiles = depthwise_tiles<V>;
  t.depthwise_weights = depthwise_weights<V>;
  t.depthwise_strip_weights = depthwise_strip_weights<V>;

  for (int v = 1; v <= V::vectors; ++v) t.few_terms_of[v] = few_tile<V>(v);
  t.few_rows = few_rows<V>;
  t.few_cols = few_cols<V>;
  t.few_gather = few_gather<V>;
  t.few_dots = few_dots<V>;

  t.pool_max = pool_max<V>;
  t.pool_average = pool_average<V>;
  t.pool_max_backward = pool_max_backward<V>;
  t.weighted_sum = weighted_sum<V>;
  t.pool_lp = pool_lp<V>;
  t.pool_lp_backward = pool_lp_backward<V>;

  t.activate = activate<V>;
  t.activate_backward = activate_backward<V>;
  t.add = add<V>;
  t.multiply = multiply<V>;
  t.scale = scale<V>;
  t.axpy = axpy<V>;
  t.unary = unary<V>;
  t.clip = clip<V>;
  t.binary = binary<V>;
  t.where = where<V>;
  t.reduce = reduce<V>;
  t.column_extremes = column_extremes<V>;
  t.normalize_u8 = normalize<V, uint8_t>;
  t.normalize_f32 = normalize<V, float>;
  t.column_sums = column_sums<V>;
  t.column_moments = column_moments<V>;
  t.column_products = column_products<V>;
  t.batch_norm = batch_norm<V>;
  t.batch_norm_backward = batch_norm_backward<V>;
  t.row_moments = row_moments<V>;
  t.row_norm = row_norm<V>;
  t.row_norm_backward = row_norm_backward<V>;
  t.softmax = softmax<V>;
  t.softmax_backward = softmax_backward<V>;
  t.log_softmax = log_softmax<V>;
  t.log_softmax_backward = log_softmax_backward<V>;
  t.softmax_cross_entropy = softmax_cross_entropy<V>;
  t.softmax_cross_entropy_dense = softmax_cross_entropy_dense<V>;
  t.squared_error = squared_error<V>;
  t.dropout = dropout<V>;

  t.sgd = sgd<V>;
  t.adam = adam<V>;
  t.rmsprop = rmsprop<V>;
  t.adagrad = adagrad<V>;
  t.sum_of_squares = sum_of_squares<V>;
  t.clip_by_value = clip_by_value<V>;

  t.probe_fma = probe_fma<V>;
  t.probe_triad = probe_triad<V>;
  t.probe_triad_past_caches = probe_triad_past_caches<V>;
  return t;
}

}  // namespace
}  // namespace convlane
