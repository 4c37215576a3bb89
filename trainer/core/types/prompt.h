#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

using TokenId = std::int64_t;

/// One row of a dataset or task, ready to be sampled from.
struct Prompt {
  std::int64_t row = 0;      ///< row number in its dataset (0-based); a task's problem index
  std::string text;          ///< rendered template
  std::string prefill;       ///< end of `text` that belongs to the completion, such as "<think>"
  std::vector<TokenId> ids;  ///< of `text`
  Json fields;               ///< the row as read or generated: what rewards look at
  std::string source;        ///< the row's `source` field, else the dataset's name
};

}  // namespace aha
