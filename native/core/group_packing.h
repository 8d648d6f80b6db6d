// SPDX-License-Identifier: MIT
// How a convolution of groups is laid out for the kernels: which taps go together, and weights (or their gradients) by vectors of targets.
#pragma once
#include "rows_axis.h"

namespace convlane {

constexpr int64_t kMostOfGroup = 32;  // channels of a group, on either side
static_assert(kMostOfGroup <= kGroupSources, "a vector reads one group at least");

// Several groups of at most so many channels.
inline bool grouped_convolution_fits(const ConvGeometry& g) { return g.groups > 1 && std::max(g.group_c(), g.group_oc()) <= kMostOfGroup; }

class GroupPacking {
 public:
  // Taps of a row that are computed together: from tap `first` of the axis on. `at`: where their weights are among those of a row.
  struct Block {
    int64_t first, offset, at;
  };

  GroupPacking(const ConvGeometry& geometry, Direction direction);

  const GroupLanes& lanes() const { return lanes_; }
  // Columns of the source, of the target, and of one pass of it: from column `pass` on, target_step() apart.
  int64_t source() const { return source_; }
  int64_t target() const { return target_; }
  int64_t positions(int64_t pass) const { return pairs_ ? target_ : w_.positions(pass); }
  int64_t step() const { return pairs_ ? 1 : w_.source_stride; }
  int64_t target_step() const { return pairs_ ? 1 : w_.target_stride; }
  int64_t taps() const { return taps_; }    // of a block
  bool pairs() const { return pairs_; }     // both phases of the gradient of stride 2 at once
  int64_t passes() const { return pairs_ ? 1 : w_.phases(); }
  // Blocks first_block(pass) .. first_block(pass + 1) - 1 make the columns of a pass.
  int64_t first_block(int64_t pass) const { return pairs_ ? pass : w_.first[static_cast<size_t>(pass)] / taps_; }
  const Block& block(int64_t number) const { return blocks_[static_cast<size_t>(number)]; }
  int64_t block_count() const { return static_cast<int64_t>(blocks_.size()); }
  int64_t row_floats() const { return w_.taps() * lanes_.from * lanes_.width; }  // of one row of taps, and one vector
  int64_t vector_floats() const { return geometry_.d.kernel * geometry_.h.kernel * row_floats(); }
  int64_t floats() const { return vector_count(lanes_) * vector_floats(); }
  // HWIO to packed[vector][row][block][channel of a group][tap][lane], zeros in lanes without a target; and back, forward only.
  void pack(const float* weights, float* packed) const;
  void unpack(const float* packed, float* weights) const;

 private:
  int64_t vectors_together() const;
  template <class F>
  void each(int64_t vector, const F& f) const;

  ConvGeometry geometry_;
  Direction direction_;
  RowsAxis w_;
  GroupLanes lanes_;
  int64_t source_, target_;
  int64_t taps_;
  bool pairs_;
  std::vector<Block> blocks_;
};

}  // namespace convlane
