// SPDX-License-Identifier: MIT
#include "rows_lists.h"

#include <algorithm>
#include <cstring>

namespace convlane {

// Lists of the same pixels of other images serve when moved: where channels are few, making them takes up to a fifth of the time.
bool RowsConvolution::move_lists(const Call& call, const RowsCursor& cursor, int64_t phase, int64_t begin, int64_t end, int64_t group, Lists& lists) const {
  const int64_t pixels = cursor.image_pixels();
  if (patches_ == Patches::copied || call.across || lists.phase != phase || lists.group != group || lists.pixel_count != end - begin ||
      (begin - lists.begin) % pixels != 0) {
    return false;
  }
  const int64_t images = (begin - lists.begin) / pixels;
  lists.rows_offset += images * d_.source * h_.source * w_.source * source_c_;
  lists.out_offset += images * d_.target * h_.target * w_.target * target_c_;
  for (int64_t i = 0; i < lists.padding_count; ++i) lists.rows[lists.padding[i]] = call.zeros - lists.rows_offset;
  lists.begin = begin;
  return true;
}

// Lists the next `m` pixels of a phase of one tap that never lies on padding: list_tile for 1 x 1 windows, where it would take a good part of the time.
void RowsConvolution::list_points(const Call& call, RowsCursor& cursor, int32_t m, int64_t group, Lists& lists) const {
  Lists::Tile& tile = lists.tiles[lists.tile_count++];
  tile = {lists.rows + lists.row_count, lists.runs + lists.total_runs, 1, lists.out + lists.pixel_count, m};
  tile.runs[0] = {call.weights.data + group * call.weights.group + tap_of(cursor) * call.weights.tap, depth_};
  lists.total_runs += 1;
  lists.row_count += m;
  lists.pixel_count += m;
  for (int32_t i = 0; i < m;) {
    const int32_t end = i + static_cast<int32_t>(std::min<int64_t>(m - i, cursor.together()));
    Point point = point_of(call, cursor, group);
    cursor.advance(end - i);
    for (; i < end; ++i, point.from += w_.source_stride * source_c_, point.out += w_.target_stride * target_c_) {
      tile.rows[i] = point.from;
      tile.out[i] = point.out;
    }
  }
}

// Lists the next `m` pixels of a phase as one tile. Pixels of one row are one segment: whether a row of taps lies inside is asked once for all of them.
void RowsConvolution::list_tile(const Call& call, RowsCursor& cursor, int32_t m, int64_t group, Lists& lists) const {
  const int64_t first_w = w_.first[cursor.phase_w], taps_w = w_.first[cursor.phase_w + 1] - first_w;
  const int64_t offset_w = taps_w > 0 ? w_.offset[first_w] : 0;
  const int64_t pixel_step = w_.source_stride * source_c_;

  Lists::Tile& tile = lists.tiles[lists.tile_count++];
  tile = {lists.rows + lists.row_count, lists.runs + lists.total_runs, 0, lists.out + lists.pixel_count, m};

  struct Segment {
    const float* image;  // channel 0 of the group
    int64_t d, h, w;     // source position of its first pixel for a tap with offset 0
    int32_t begin, end;
  };
  Segment segments[kMaxRows];
  int32_t segment_count = 0;
  int64_t whole_first = 0, whole_last = mergeable_ ? taps_w : 0;  // taps along the width that lie inside for all pixels
  for (int32_t i = 0; i < m;) {
    const int32_t count = static_cast<int32_t>(std::min<int64_t>(m - i, cursor.together()));
    const Segment segment{call.source + cursor.n * (d_.source * h_.source * w_.source * source_c_) + group * depth_,
                          cursor.d * d_.source_stride,
                          cursor.h * h_.source_stride,
                          cursor.w * w_.source_stride,
                          i,
                          i + count};
    segments[segment_count++] = segment;
    whole_first = std::max(whole_first, -(segment.w + offset_w));
    whole_last = std::min(whole_last, w_.source - (segment.w + (count - 1) * w_.source_stride) - offset_w);
    const int64_t to_d = cursor.phase_d + cursor.d * d_.target_stride, to_h = cursor.phase_h + cursor.h * h_.target_stride;
    const int64_t to_w = cursor.phase_w + cursor.w * w_.target_stride;
    float* out = call.target + (((cursor.n * d_.target + to_d) * h_.target + to_h) * w_.target + to_w) * target_c_;
    for (; i < segment.end; ++i, out += w_.target_stride * target_c_) tile.out[i] = out;
    cursor.advance(count);
  }
  if (whole_last <= whole_first) whole_first = whole_last = taps_w;

  const int64_t patch = d_.taps() * h_.taps() * w_.taps() * depth_;
  float* copies = lists.patches + lists.pixel_count * patch;
  lists.pixel_count += m;
  const bool copied = patches_ == Patches::copied;
  const float* source_rows[kMaxRows];  // of each segment, for the row of taps at hand; null in the padding
  // Taps t .. t + count - 1 of the width (number `tap` the first of them): one run, or a copy into each pixel's patch.
  auto add = [&](int64_t tap, int64_t t, int64_t count) {
    bool any = false;
    int64_t padding = lists.padding_count;
    const float** rows = lists.rows + lists.row_count;
    auto pad = [&](int32_t i) {
      rows[i] = call.zeros;
      lists.padding[padding++] = static_cast<int32_t>(lists.row_count + i);
    };
    for (int32_t s = 0; s < segment_count; ++s) {
      const Segment& segment = segments[s];
      int64_t position = segment.w + w_.offset[first_w + t];
      if (source_rows[s] == nullptr) {
        for (int32_t i = segment.begin; i < segment.end; ++i) pad(i);
      } else if (t == whole_first) {
        const float* from = source_rows[s] + position * source_c_;
        for (int32_t i = segment.begin; i < segment.end; ++i, from += pixel_step) rows[i] = from;
        any = true;
      } else {
        for (int32_t i = segment.begin; i < segment.end; ++i, position += w_.source_stride) {
          if (!inside(position, w_.source)) {
            pad(i);
            continue;
          }
          rows[i] = source_rows[s] + position * source_c_;
          any = true;
        }
      }
    }
    if (copied) {
      for (int32_t i = 0; i < m; ++i) std::memcpy(copies + i * patch + tap * depth_, rows[i], static_cast<size_t>(count * depth_) * sizeof(float));
    } else if (any) {
      lists.padding_count = padding;
      tile.runs[tile.run_count++] = {call.weights.data + group * call.weights.group + tap * call.weights.tap, count * depth_};
      lists.row_count += m;
    }
  };

  for (int64_t td = d_.first[cursor.phase_d]; td < d_.first[cursor.phase_d + 1]; ++td) {
    for (int64_t th = h_.first[cursor.phase_h]; th < h_.first[cursor.phase_h + 1]; ++th) {
      bool any = false;
      for (int32_t s = 0; s < segment_count; ++s) {
        const int64_t from_d = segments[s].d + d_.offset[td], from_h = segments[s].h + h_.offset[th];
        const bool reads = inside(from_d, d_.source) && inside(from_h, h_.source);
        any = any || reads;
        source_rows[s] = reads ? segments[s].image + (from_d * h_.source + from_h) * w_.source * source_c_ : nullptr;
      }
      if (!any && !copied) continue;
      const int64_t tap = (td * h_.taps() + th) * w_.taps() + first_w;
      for (int64_t t = 0; t < taps_w;) {
        const int64_t count = t == whole_first ? whole_last - whole_first : 1;
        add(tap + t, t, count);
        t += count;
      }
    }
  }
  if (copied) {
    tile.runs[tile.run_count++] = {call.weights.data + group * call.weights.group, patch};
    for (int32_t i = 0; i < m; ++i) tile.rows[i] = copies + i * patch;
    lists.row_count += m;
  }
  lists.total_runs += tile.run_count;
}

}  // namespace convlane
