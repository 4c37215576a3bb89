#pragma once
#include <span>

#include "trainer/core/types/prompt.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// Tokens to run through the decoder, one a row, of any number of sequences. Rows of one sequence
/// stand in ascending position, after the rows of the prefix they share. See KvStore for tables and
/// blocks.
struct RowBatch {
  std::span<const TokenId> ids;                 ///< [M]
  std::span<const std::int32_t> positions;      ///< [M]
  std::span<const std::int32_t* const> tables;  ///< [M]
  std::span<const KvCopy> copies;               ///< done after k and v of these rows are stored
  std::span<const Index> section_starts;        ///< backward only, see AttentionBackward
  std::span<const KvPart> parts = {};  ///< a device's backward only, as StagedRows cut them
  std::span<const std::int64_t> part_sums = {};
  std::span<const KvPartRange> part_ranges = {};
  bool together = false;  ///< a device's: see Attention
  Index num_blocks = 0;   ///< training only: the tables name blocks below it
  bool alone = false;     ///< no row reads what another one stores, but for idle ones: decoding

  Index rows() const { return static_cast<Index>(ids.size()); }
};

}  // namespace aha
