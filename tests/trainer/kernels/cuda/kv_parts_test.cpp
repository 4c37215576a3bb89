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

TEST_CASE("cut_parts: each row is once in the parts of each block that it attends to") {
  for (const Index length : {1, 16, 127, 128, 129, 1031, 3000}) {
    INFO("length " << length);
    const auto result = cut(length);
    CHECK(static_cast<Index>(result.ranges.size()) == (length + 15) / 16);
    Index next_part = 0;
    for (const auto& range : result.ranges) {
      CHECK(range.first_part == next_part);
      next_part = range.end_part;
      Index next_row = range.block * aha::kKvBlock;
      for (Index i = range.first_part; i < range.end_part; ++i) {
        const auto& part = result.parts[static_cast<std::size_t>(i)];
        CHECK(part.block == range.block);
        CHECK(part.first_row == next_row);
        next_row = part.end_row;
      }
      CHECK(next_row == length);
    }
    CHECK(next_part == static_cast<Index>(result.parts.size()));
  }
}

TEST_CASE("cut_parts: the parts of a long sequence grow with its length, not with its square") {
  for (const Index length : {1000, 4000, 32000}) {
    const auto result = cut(length);
    CHECK(static_cast<Index>(result.parts.size()) <= 9 * (length + 15) / 16);
  }
}
