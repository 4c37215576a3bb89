#pragma once
#include "trainer/kernels/kv_parts.h"
#include "trainer/model/row_batch.h"
#include "trainer/model/staging.h"

namespace aha {

/// A row batch in a table's memory. Where that is the host's own it is the batch itself.
class StagedRows {
 public:
  /// Valid until the next call. `backward`: with the parts that a device's backward pass is cut into.
  RowBatch stage(const Memory& memory, const RowBatch& rows, bool backward = false);
  /// Takes a device's memory for so many rows, whose tables have so many entries, without a backward pass.
  void expect(Index rows, Index entries, const Memory& memory);

 private:
  /// Returns how many tables there are.
  std::size_t flatten_tables(const RowBatch& rows);

  std::vector<std::int32_t> entries_;        ///< of all tables
  std::vector<std::size_t> starts_;          ///< [M] of each row's table in them
  std::vector<const std::int32_t*> tables_;  ///< [M] in the table's memory
  KvParts parts_;
  Staging arrays_, pointers_;
};

}  // namespace aha
