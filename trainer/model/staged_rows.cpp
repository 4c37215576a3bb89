#include "trainer/model/staged_rows.h"

#include <algorithm>

namespace aha {

/// A table's length is what its rows need: neighbours that share one have it once.
std::size_t StagedRows::flatten_tables(const RowBatch& rows) {
  std::size_t runs = 0;
  entries_.clear();
  starts_.clear();
  const std::size_t M = rows.ids.size();
  for (std::size_t begin = 0; begin < M;) {
    std::size_t end = begin;
    std::int32_t last = 0;
    for (; end < M && rows.tables[end] == rows.tables[begin]; ++end)
      last = std::max(last, rows.positions[end]);
    starts_.insert(starts_.end(), end - begin, entries_.size());
    entries_.insert(entries_.end(), rows.tables[begin], rows.tables[begin] + last / kKvBlock + 1);
    begin = end;
    ++runs;
  }
  return runs;
}

void StagedRows::expect(Index rows, Index entries, const Memory& memory) {
  constexpr Index kBytesOfARow = sizeof(TokenId) + sizeof(std::int32_t);
  constexpr Index kBytesOfAnEntry = sizeof(std::int32_t);
  arrays_.expect(kBytesOfARow * rows + kBytesOfAnEntry * entries, 3, memory);
  pointers_.expect(static_cast<Index>(sizeof(void*)) * rows, 1, memory);
}

RowBatch StagedRows::stage(const Memory& memory, const RowBatch& rows, bool backward) {
  if (memory.host) return rows;
  const bool together = 2 * flatten_tables(rows) <= rows.ids.size();
  parts_ =
      backward ? cut_parts({rows.positions.data(), rows.tables.data(), rows.rows()}) : KvParts{};
  const TokenId* ids = nullptr;
  const std::int32_t* positions = nullptr;
  const std::int32_t* entries = nullptr;
  const KvCopy* copies = nullptr;
  const KvPart* parts = nullptr;
  const std::int64_t* sums = nullptr;
  const KvPartRange* ranges = nullptr;
  arrays_.add(rows.ids, ids);
  arrays_.add(rows.positions, positions);
  arrays_.add(std::span<const std::int32_t>(entries_), entries);
  arrays_.add(rows.copies, copies);
  arrays_.add(std::span<const KvPart>(parts_.parts), parts);
  arrays_.add(std::span<const std::int64_t>(parts_.sums), sums);
  arrays_.add(std::span<const KvPartRange>(parts_.ranges), ranges);
  arrays_.send(memory);
  tables_.clear();
  for (const auto start : starts_)
    tables_.push_back(entries + start);
  const std::int32_t* const* tables = nullptr;
  pointers_.add(std::span<const std::int32_t* const>(tables_), tables);
  pointers_.send(memory);
  return {{ids, rows.ids.size()},
          {positions, rows.positions.size()},
          {tables, tables_.size()},
          {copies, rows.copies.size()},
          {},
          {parts, parts_.parts.size()},
          {sums, parts_.sums.size()},
          {ranges, parts_.ranges.size()},
          together,
          rows.num_blocks,
          rows.alone};
}

}  // namespace aha
