// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

#include "../simd/compiler.h"

namespace convlane {
namespace {

template <class V>
void pack_rows(const float* b, int64_t ldb, int64_t k, int64_t columns, int64_t padded, float* packed, int64_t ldp) {
  for (; k > 0; --k, b += ldb, packed += ldp) {
    int64_t j = 0;
    for (; j + V::width <= columns; j += V::width) V::load(b + j).store(packed + j);
    for (; j < columns; ++j) packed[j] = b[j];
    for (; j < padded; ++j) packed[j] = 0.0f;
  }
}

template <class V>
void pack_transposed(const float* b, int64_t ldb, int64_t k, int64_t columns, int64_t padded, float* packed, int64_t ldp) {
  constexpr int64_t block = 16;  // columns at a time: each of their cache lines is read 16 times while it is near
  for (int64_t j0 = 0; j0 < padded; j0 += block) {
    const int64_t end = j0 + block < padded ? j0 + block : padded;
    const int64_t filled = columns < end ? columns : end;
    int64_t p = 0;
    if (V::width > 1 && filled == j0 + block) {
      for (; p + V::width <= k; p += V::width) {
        for (int64_t j = j0; j < filled; j += V::width) {
          V square[V::width];
          CONVLANE_UNROLL for (int i = 0; i < V::width; ++i) {
            const float* column = b + (j + i) * ldb + p;
            CONVLANE_PREFETCH_NEAR(column + V::width);
            square[i] = V::load(column);
          }
          transpose(square);
          CONVLANE_UNROLL for (int i = 0; i < V::width; ++i) square[i].store(packed + (p + i) * ldp + j);
        }
      }
    }
    for (; p < k; ++p) {
      float* row = packed + p * ldp;
      int64_t j = j0;
      for (; j < filled; ++j) row[j] = b[j * ldb + p];
      for (; j < end; ++j) row[j] = 0.0f;
    }
  }
}

}  // namespace
}  // namespace convlane
