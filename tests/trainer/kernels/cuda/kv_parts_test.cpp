#include "trainer/kernels/kv_parts.h"

#include "tests/support/catch.h"

namespace {

using aha::Index;

/// One sequence of `length` rows from position 0 on.
aha::KvParts cut(Index length) {
  std::vector<std::int32_t> positions, table;
  for (Index p = 0; p < length; ++p) {
    positions.push_back(static_cast<std::int32_t>(p));
    if (p % aha::kKvBlock == 0) table.push_back(static_cast<std::int32_t>(table.size()));
  }
  const std::vector<const std::int32_t*> tables(positions.size(), table.data());
  return aha::cut_parts({positions.data(), tables.data(), length});
}

}  // namespace

TEST_CASE("cut_parts: each row is once in the sums of each block that it attends to") {
  for (const Index length : {1, 16, 64, 65, 127, 128, 129, 1031, 3000}) {
    INFO("length " << length);
    const auto result = cut(length);
    CHECK(static_cast<Index>(result.ranges.size()) == (length + 15) / 16);
    CHECK(static_cast<Index>(result.parts.size()) <= aha::most_parts(length, (length + 15) / 16));
    Index next_sum = 0;
    for (const auto& range : result.ranges) {
      CHECK(range.first_sum == next_sum);
      next_sum = range.end_sum;
      Index next_row = range.block / aha::kPartBlocks * aha::kPartBlocks * aha::kKvBlock;
      for (Index i = range.first_sum; i < range.end_sum; ++i) {
        const auto place = result.sums[static_cast<std::size_t>(i)];
        const auto& part = result.parts[static_cast<std::size_t>(place / aha::kPartBlocks)];
        CHECK(part.index + place % aha::kPartBlocks == range.block);  // its table is 0, 1, 2, ...
        CHECK(place % aha::kPartBlocks < part.blocks);
        CHECK(part.first_row == next_row);
        next_row = part.end_row;
      }
      CHECK(next_row == length);
    }
    CHECK(next_sum == static_cast<Index>(result.sums.size()));
  }
}

TEST_CASE("cut_parts: a block that sequences share has the sums of all, in their order") {
  // a prompt of 20 rows and two completions of 3, which have its first block and a copy of the second
  const std::vector<std::int32_t> prompt{7, 2}, one{7, 5}, other{7, 3};
  std::vector<std::int32_t> positions;
  std::vector<const std::int32_t*> tables;
  const auto add = [&](const std::vector<std::int32_t>& table, int first, int end) {
    for (int p = first; p < end; ++p) {
      positions.push_back(p);
      tables.push_back(table.data());
    }
  };
  add(prompt, 0, 20);
  add(one, 20, 23);
  add(other, 20, 23);
  const auto result = aha::cut_parts({positions.data(), tables.data(), 26});
  REQUIRE(result.parts.size() == 3);
  REQUIRE(result.ranges.size() == 4);
  CHECK(result.ranges[0].block == 2);
  CHECK(result.ranges[3].block == 7);
  CHECK(result.sums == std::vector<std::int64_t>{1, 9, 5, 0, 4, 8});
}

TEST_CASE("cut_parts: the parts of a long sequence grow with its length, not with its square") {
  for (const Index length : {1000, 4000, 32000}) {
    const auto result = cut(length);
    CHECK(static_cast<Index>(result.parts.size()) > (length + 63) / 64);
    CHECK(aha::most_parts(length, (length + 15) / 16) <= 9 * ((length + 63) / 64));
  }
}
