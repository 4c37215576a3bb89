#pragma once
#include <cstdint>
#include <iosfwd>

#include "data/tasks/task.h"

namespace aha {

struct GenerateOptions {
  Split split = Split::Train;
  std::uint64_t seed = 0;
  std::int64_t count = 0;
  std::int64_t first = 0;  ///< index of the first row
};

/// Writes rows first, first + 1, ... as JSONL: the rows that a run with this task, split and seed
/// reads. UserError for a negative count, for rows beyond 2^40, or when the stream cannot be
/// written.
void generate_rows(const Task& task, const GenerateOptions& options, std::ostream& out);

}  // namespace aha
