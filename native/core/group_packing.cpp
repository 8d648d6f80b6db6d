// SPDX-License-Identifier: MIT
#include "group_packing.h"

#include <cstring>

namespace convlane {

namespace {

// As many whole groups as fit a vector, of the source and of the target.
GroupLanes lanes_of(int64_t from, int64_t to, int64_t groups) {
  const int64_t width = kernels().width;
  const int64_t together = std::min({width / to, width / from, groups});
  return {from, to, groups, std::max<int64_t>(1, together), width};
}

}  // namespace

GroupPacking::GroupPacking(const ConvGeometry& geometry, Direction direction)
    : geometry_(geometry),
      direction_(direction),
      w_(axis_of(geometry.w, direction)),
      lanes_(direction == Direction::forward ? lanes_of(geometry.group_c(), geometry.group_oc(), geometry.groups)
                                             : lanes_of(geometry.group_oc(), geometry.group_c(), geometry.groups)),
      source_(w_.source),
      target_(w_.target) {
  const Axis& w = geometry.w;
  const bool three = w.kernel == 3 && w.dilation == 1 && w.stride <= 2;
  pairs_ = three && direction == Direction::gradient && w.stride == 2;
  taps_ = three && (pairs_ || w_.phases() == 1) ? 3 : 1;
  if (pairs_) {
    w_ = forward_axis(w);  // taps in the order of the window
    blocks_.push_back({0, -1, 0});
    return;
  }
  for (int64_t tap = 0; tap < w_.taps(); tap += taps_) blocks_.push_back({tap, w_.offset[static_cast<size_t>(tap)], tap * lanes_.from * lanes_.width});
}

// f(packed offset, HWIO offset, lanes, HWIO floats from lane to lane) for what belongs together in one vector.
template <class F>
void GroupPacking::each(int64_t vector, const F& f) const {
  const ConvGeometry& g = geometry_;
  const bool forward = direction_ == Direction::forward;
  const int64_t target = target_of(lanes_, vector), targets = targets_of(lanes_, vector), rows = g.d.kernel * g.h.kernel;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t b = 0; b < block_count(); ++b) {
      for (int64_t t = 0; t < taps_; ++t) {
        const int64_t tap = row * g.w.kernel + w_.kernel[static_cast<size_t>(block(b).first + t)];
        const int64_t to = vector * vector_floats() + row * row_floats() + block(b).at + t * lanes_.width, step = taps_ * lanes_.width;
        for (int64_t i = 0; i < lanes_.from; ++i) {
          if (forward) {
            f(to + i * step, (tap * lanes_.from + i) * g.oc + target, targets, int64_t{1});
            continue;
          }
          for (int64_t l = 0; l < targets;) {
            const int64_t group = (target + l) / lanes_.to, channel = (target + l) % lanes_.to, count = std::min(lanes_.to - channel, targets - l);
            f(to + i * step + l, (tap * lanes_.to + channel) * g.oc + group * lanes_.from + i, count, g.oc);
            l += count;
          }
        }
      }
    }
  }
}

// Of one chunk. There may be no taps at all: those of a stride beyond an image of one column.
int64_t GroupPacking::vectors_together() const { return std::max<int64_t>(1, kElementGrain / 4 / std::max<int64_t>(1, vector_floats())); }

void GroupPacking::pack(const float* weights, float* packed) const {
  parallel_blocks(vector_count(lanes_), vectors_together(), [&](int64_t begin, int64_t end) {
    std::memset(packed + begin * vector_floats(), 0, static_cast<size_t>((end - begin) * vector_floats()) * sizeof(float));
    for (int64_t vector = begin; vector < end; ++vector) {
      each(vector, [&](int64_t to, int64_t from, int64_t count, int64_t step) {
        if (step == 1) {
          std::memcpy(packed + to, weights + from, static_cast<size_t>(count) * sizeof(float));
        } else {
          for (int64_t l = 0; l < count; ++l) packed[to + l] = weights[from + l * step];
        }
      });
    }
  });
}

void GroupPacking::unpack(const float* packed, float* weights) const {
  parallel_blocks(vector_count(lanes_), vectors_together(), [&](int64_t begin, int64_t end) {
    for (int64_t vector = begin; vector < end; ++vector) {
      each(vector, [&](int64_t from, int64_t to, int64_t count, int64_t step) {
        for (int64_t l = 0; l < count; ++l) weights[to + l * step] = packed[from + l];
      });
    }
  });
}

}  // namespace convlane
