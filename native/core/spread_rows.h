// SPDX-License-Identifier: MIT
// Rows of an image whose channels are spread over those of a grouped convolution's other side, made when asked for and kept while they are near.
#pragma once
#include <algorithm>

#include "../cpu/kernel_table.h"
#include "parallel.h"

namespace convlane {

// One side of a grouped convolution: `from` channels of each group become `from` planes of `to` channels of each group.
struct SpreadShape {
  int64_t width = 1, groups = 1, from = 1, to = 1;

  bool identity() const { return from == 1 && to == 1; }
  int64_t plane() const { return round_up(width * groups * to, 16); }
  int64_t row_floats() const { return from * plane(); }
};

class SpreadRows {
 public:
  static int64_t floats(const SpreadShape& shape, int64_t slots) { return slots * shape.row_floats() + round_up(2 * slots * sizeof(Slot) / sizeof(float), 16); }

  SpreadRows(const SpreadShape& shape, int64_t slots, float* memory)
      : shape_(shape), count_(slots), rows_(memory), slots_(reinterpret_cast<Slot*>(memory + slots * shape.row_floats())) {
    for (int64_t s = 0; s < slots; ++s) slots_[s] = {-1, -1};
  }
  // From here on at most as many rows as there are slots may be asked for; they stay until the next call of this.
  void next() { ++stamp_; }
  // Plane 0 of row `number` of the images: pixels groups · to floats apart, planes shape.plane().
  const float* row(const float* source, int64_t number) {
    int64_t oldest = 0;
    for (int64_t s = 0; s < count_; ++s) {
      if (slots_[s].row == number) {
        slots_[s].stamp = stamp_;
        return rows_ + s * shape_.row_floats();
      }
      if (slots_[s].stamp < slots_[oldest].stamp) oldest = s;
    }
    slots_[oldest] = {number, stamp_};
    float* to = rows_ + oldest * shape_.row_floats();
    const float* from = source + number * shape_.width * shape_.groups * shape_.from;
    kernels().spread_groups(from, shape_.width, shape_.groups, shape_.from, shape_.to, to, shape_.plane());
    return to;
  }

 private:
  struct Slot {
    int64_t row, stamp;
  };
  SpreadShape shape_;
  int64_t count_;
  float* rows_;
  Slot* slots_;
  int64_t stamp_ = 0;
};

}  // namespace convlane
