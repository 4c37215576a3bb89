#pragma once
#include <cstdint>
#include <vector>

namespace aha {

/// Elements [begin, end) of a flat buffer.
struct Slice {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
};

/// Who owns which part of a flat buffer of `total` elements: slice r is rank r's. Slices begin at multiples
/// of kShardUnit, so that sums over blocks of that many elements never cross ranks; the last ones may be
/// short or empty.
std::vector<Slice> shards_of(std::int64_t total, int ranks);

/// Divides every size of block that kernels sum over (Ops::block_squares).
constexpr std::int64_t kShardUnit = 4096;

}  // namespace aha
