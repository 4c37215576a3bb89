#pragma once
#include <cstddef>
#include <cstdint>

namespace aha::cuda {

/// Where bytes stand, in memory that a device copies from by itself, until it has: segments that are filled one
/// after the other, and again once the copies out of them are done.
class PinnedRing {
 public:
  struct Piece {
    std::byte* memory;
    std::int64_t bytes;
  };

  /// `memory` has kSegments times `segment_bytes`, a multiple of 64.
  PinnedRing(void* memory, std::int64_t segment_bytes)
      : memory_(static_cast<std::byte*>(memory)), segment_bytes_(segment_bytes) {}

  /// Room for the first of `bytes` > 0. The copy out of it is asked for before the next call. `mark()` names a
  /// place in the order of what is asked for, above 0; `wait(mark)` returns when all before it is done.
  template <class Mark, class Wait>
  Piece take(std::int64_t bytes, const Mark& mark, const Wait& wait) {
    if (at_ == segment_bytes_) {
      marks_[segment_] = mark();
      segment_ = (segment_ + 1) % kSegments;
      if (marks_[segment_] > 0) wait(marks_[segment_]);
      at_ = 0;
    }
    const std::int64_t left = segment_bytes_ - at_;
    const Piece piece{memory_ + segment_ * segment_bytes_ + at_, bytes < left ? bytes : left};
    at_ += (piece.bytes + 63) / 64 * 64;
    return piece;
  }

  static constexpr int kSegments = 4;

 private:
  std::byte* memory_;
  std::int64_t segment_bytes_;
  std::int64_t marks_[kSegments] = {};
  std::int64_t at_ = 0;
  int segment_ = 0;
};

}  // namespace aha::cuda
