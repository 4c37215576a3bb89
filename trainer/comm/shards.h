#pragma once
#include <cstdint>
#include <vector>

namespace aha {

/// Elements [begin, end) of a flat buffer.
struct Slice {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
  bool operator==(const Slice&) const = default;
};

/// Who owns which part of a flat buffer of `total` elements: slice r is rank r's. Slices begin at multiples
/// of kShardUnit, so that sums over blocks of that many elements never cross ranks; the last ones may be
/// short or empty.
std::vector<Slice> shards_of(std::int64_t total, int ranks);

/// What both hold; empty where they have nothing in common.
Slice common_part(const Slice& a, const Slice& b);

/// What each slice holds of `range`, counted from its begin.
std::vector<Slice> parts_in(const std::vector<Slice>& slices, const Slice& range);

/// Divides every size of block that kernels sum over (Ops::block_squares).
constexpr std::int64_t kShardUnit = 4096;

}  // namespace aha
