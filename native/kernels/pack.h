// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>
#include <cstring>

#include "../simd/compiler.h"

namespace convlane {
namespace {

template <class V>
void pack_rows(const float* b, int64_t ldb, int64_t k, int64_t columns, int64_t padded, float* packed, int64_t ldp) {
  if (columns == V::vectors * V::width && padded == columns) {  // a whole panel
    for (; k > 0; --k, b += ldb, packed += ldp) {
      CONVLANE_UNROLL for (int j = 0; j < V::vectors; ++j) V::load(b + j * V::width).store(packed + j * V::width);
    }
    return;
  }
  for (; k > 0; --k, b += ldb, packed += ldp) {
    int64_t j = 0;
    for (; j + V::width <= columns; j += V::width) V::load(b + j).store(packed + j);
    for (; j < columns; ++j) packed[j] = b[j];
    for (; j < padded; ++j) packed[j] = 0.0f;
  }
}

// Line by line of A, so that each is read once.
template <int Rows>
inline void pack_strips_of(const float* a, int64_t lda, int64_t k, int64_t columns, float* packed, int64_t distance) {
  constexpr int64_t kTogether = 8;  // strips that are written to at a time
  for (int64_t first = 0; first < columns; first += kTogether * Rows, packed += kTogether * distance) {
    const int64_t last = first + kTogether * Rows < columns ? first + kTogether * Rows : columns;
    for (int64_t p = 0; p < k; ++p) {
      const float* from = a + p * lda + first;
      float* to = packed + p * Rows;
      int64_t j = first;
      for (; j + Rows <= last; j += Rows, from += Rows, to += distance) {
        std::memcpy(to, from, Rows * sizeof(float));
      }
      for (; j < last; ++j) *to++ = *from++;
    }
  }
}

template <class V>
void pack_strips(const float* a, int64_t lda, int64_t k, int64_t columns, int32_t rows, float* packed, int64_t distance) {
  switch (rows) {  // of all targets' tiles
    case 2: return pack_strips_of<2>(a, lda, k, columns, packed, distance);
    case 4: return pack_strips_of<4>(a, lda, k, columns, packed, distance);
    case 6: return pack_strips_of<6>(a, lda, k, columns, packed, distance);
    case 14: return pack_strips_of<14>(a, lda, k, columns, packed, distance);
    default: return pack_strips_of<8>(a, lda, k, columns, packed, distance);
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
