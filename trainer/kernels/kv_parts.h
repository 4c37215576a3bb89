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

/// Cuts runs of rows that share a table, in ascending positions, at every kPartBlocks blocks that they attend to. Parts
/// are of few rows, so that a prompt's block, which all completions attend to, is not the work of one part; of a run
/// that attends to b blocks there are at most 9 ceil(b / kPartBlocks).
KvParts cut_parts(const KvRows& rows);

}  // namespace aha
