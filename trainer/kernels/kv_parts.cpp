#include "trainer/kernels/kv_parts.h"

#include <algorithm>

namespace aha {
namespace {

/// Of a run: a long one has no more parts a block than a short one, so that all its parts grow with its length
/// and not with the square of it.
constexpr Index rows_of_a_part(Index run) {
  return std::max(Index{128}, round_up(run / 8, 16));
}

/// Adds the parts of rows [begin, end), which are one run.
void add_run(const KvRows& rows, Index begin, Index end, std::vector<KvPart>& parts) {
  const std::int32_t* positions = rows.positions;
  const Index most = rows_of_a_part(end - begin);
  for (Index index = 0; index <= positions[end - 1] / kKvBlock; ++index) {
    const auto* at = std::lower_bound(positions + begin, positions + end, index * kKvBlock);
    for (Index first = at - positions; first < end; first += most)
      parts.push_back({rows.tables[begin][index], index, first, std::min(end, first + most)});
  }
}

}  // namespace

KvParts cut_parts(const KvRows& rows) {
  KvParts result;
  for (Index begin = 0; begin < rows.M;) {
    Index end = begin + 1;
    while (end < rows.M && rows.tables[end] == rows.tables[begin] &&
           rows.positions[end] > rows.positions[end - 1])
      ++end;
    add_run(rows, begin, end, result.parts);
    begin = end;
  }
  std::stable_sort(result.parts.begin(), result.parts.end(),
                   [](const KvPart& a, const KvPart& b) { return a.block < b.block; });
  const auto count = static_cast<std::int64_t>(result.parts.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const auto block = result.parts[static_cast<std::size_t>(i)].block;
    if (result.ranges.empty() || result.ranges.back().block != block)
      result.ranges.push_back({block, i, i});
    result.ranges.back().end_part = i + 1;
  }
  return result;
}

}  // namespace aha
