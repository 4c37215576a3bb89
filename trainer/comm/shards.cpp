#include "trainer/comm/shards.h"

#include <algorithm>

namespace aha {

std::vector<Slice> shards_of(std::int64_t total, int ranks) {
  const std::int64_t units = (total + kShardUnit - 1) / kShardUnit;
  std::vector<Slice> slices;
  slices.reserve(static_cast<std::size_t>(ranks));
  for (std::int64_t r = 0; r < ranks; ++r)
    slices.push_back({std::min(total, units * r / ranks * kShardUnit),
                      std::min(total, units * (r + 1) / ranks * kShardUnit)});
  return slices;
}

Slice common_part(const Slice& a, const Slice& b) {
  const auto begin = std::max(a.begin, b.begin);
  return {begin, std::max(begin, std::min(a.end, b.end))};
}

std::vector<Slice> parts_in(const std::vector<Slice>& slices, const Slice& range) {
  std::vector<Slice> parts;
  parts.reserve(slices.size());
  for (const auto& slice : slices) {
    const Slice part = common_part(slice, range);
    parts.push_back({part.begin - range.begin, part.end - range.begin});
  }
  return parts;
}

}  // namespace aha
