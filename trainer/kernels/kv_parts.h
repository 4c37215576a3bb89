#pragma once
#include <vector>

#include "trainer/kernels/ops.h"

namespace aha {

/// The work of AttentionBackward seen from the key/value blocks: for each block, which rows attend to it.
struct KvParts {
  std::vector<KvPart> parts;        ///< in the order of their blocks
  std::vector<KvPartRange> ranges;  ///< one a block
};

/// Cuts runs of rows that share a table, in ascending positions, at the blocks that they attend to. Parts are
/// of few rows, so that a prompt's block, which all completions attend to, is not the work of one part; of a run
/// that attends to b blocks there are at most 9 b.
KvParts cut_parts(const KvRows& rows);

}  // namespace aha
