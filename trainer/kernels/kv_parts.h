#pragma once
#include <vector>

#include "trainer/kernels/ops.h"

namespace aha {

/// The work of AttentionBackward seen from the key/value blocks: which rows attend to them.
struct KvParts {
  std::vector<KvPart> parts;
  std::vector<std::int64_t> sums;   ///< kPartBlocks * part + block of it, by blocks of the store
  std::vector<KvPartRange> ranges;  ///< of the sums, one a block
};

/// Rows of a part of a run, at most. A long run has no more parts a block than a short one, so that all its parts grow
/// with its length and not with the square of it.
constexpr Index most_rows_of_a_part(Index run) {
  const Index eighth = round_up(run / 8, 16);
  return eighth > 256 ? eighth : 256;
}

/// Parts of a run of `rows` that attends to `blocks` blocks, at most: up to 9 for every kPartBlocks of them.
constexpr Index most_parts(Index rows, Index blocks) {
  const Index most = most_rows_of_a_part(rows);
  return (rows + most - 1) / most * ((blocks + kPartBlocks - 1) / kPartBlocks);
}

/// Cuts runs of rows that share a table, in ascending positions, at every kPartBlocks blocks that they attend to. Parts
/// are of few rows, so that a prompt's block, which all completions attend to, is not the work of one part.
KvParts cut_parts(const KvRows& rows);

}  // namespace aha
