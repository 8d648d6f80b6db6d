// SPDX-License-Identifier: MIT
// Blocked matrix product y [m, n] = act(a · b + bias), row-major.
#pragma once
#include "panels.h"

namespace convlane {

struct GemmSizes {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;  // a is stored [k, m]; b is stored [n, k]
};

// `shorter`: enough for any shorter reduction, too.
int64_t gemm_scratch_floats(const GemmSizes& sizes, bool shorter = false);
// `bias` (n values) and `activation` are for products of which neither factor is transposed.
void gemm(const GemmSizes& sizes, const float* a, const float* b, const float* bias, Activation activation, float* y, float* scratch);

}  // namespace convlane
