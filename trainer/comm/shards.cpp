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

}  // namespace aha
