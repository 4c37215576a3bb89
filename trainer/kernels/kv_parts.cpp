#include "trainer/kernels/kv_parts.h"

#include <algorithm>

namespace aha {
namespace {

/// The sums of one block of a part.
struct Sum {
  std::int64_t block;
  std::int64_t place;  ///< as in KvParts::sums
};

/// Of `rows` that are cut evenly.
constexpr Index rows_of_a_part(Index rows, Index most) {
  const Index parts = (rows + most - 1) / most;
  return round_up((rows + parts - 1) / parts, 16);
}

/// Adds the parts of rows [begin, end), which are one run, and the blocks of their sums.
void add_run(const KvRows& rows, Index begin, Index end, KvParts& to, std::vector<Sum>& sums) {
  const std::int32_t* positions = rows.positions;
  const Index most = most_rows_of_a_part(end - begin);
  const Index all = positions[end - 1] / kKvBlock + 1;
  for (Index index = 0; index < all; index += kPartBlocks) {
    const Index blocks = std::min(kPartBlocks, all - index);
    const auto* at = std::lower_bound(positions + begin, positions + end, index * kKvBlock);
    const Index rows_each = rows_of_a_part(positions + end - at, most);
    for (Index first = at - positions; first < end; first += rows_each) {
      for (Index b = 0; b < blocks; ++b)
        sums.push_back(
            {rows.tables[begin][index + b], kPartBlocks * static_cast<Index>(to.parts.size()) + b});
      to.parts.push_back({index, blocks, first, std::min(end, first + rows_each)});
    }
  }
}

}  // namespace

KvParts cut_parts(const KvRows& rows) {
  KvParts result;
  std::vector<Sum> sums;
  for (Index begin = 0; begin < rows.M;) {
    Index end = begin + 1;
    while (end < rows.M && rows.tables[end] == rows.tables[begin] &&
           rows.positions[end] > rows.positions[end - 1])
      ++end;
    add_run(rows, begin, end, result, sums);
    begin = end;
  }
  std::stable_sort(sums.begin(), sums.end(),
                   [](const Sum& a, const Sum& b) { return a.block < b.block; });
  for (const Sum& sum : sums) {
    const auto at = static_cast<std::int64_t>(result.sums.size());
    if (result.ranges.empty() || result.ranges.back().block != sum.block)
      result.ranges.push_back({sum.block, at, at});
    result.ranges.back().end_sum = at + 1;
    result.sums.push_back(sum.place);
  }
  return result;
}

}  // namespace aha
