#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"

namespace aha {

/// How often a question occurs again, found by a 64-bit hash of its text.
struct DuplicateReport {
  std::int64_t count = 0;  ///< rows whose question stood before (or in the other dataset)
  /// The first five: {where the row is, where its question stood}.
  std::vector<std::pair<std::string, std::string>> first;

  /// "12 rows repeat a question: a.jsonl:9 (as a.jsonl:2), ..."; empty when there are none.
  std::string text() const;
};

/// Rows of a finite dataset whose `field` repeats that of an earlier row. Rows without the field
/// are compared whole. An endless dataset reports nothing.
DuplicateReport duplicate_rows(const Dataset& dataset, const std::string& field);

/// Rows of `eval` whose question is also in `train`: such an evaluation measures memory. Nothing
/// when either is endless (a task's splits are disjoint by construction).
DuplicateReport overlapping_rows(const Dataset& train, const Dataset& eval,
                                 const std::string& field);

}  // namespace aha
