#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// How the rows of a data set are published, and what becomes of them: `question`, `answer` (the gold
/// as the reward reads it), and where there is such a thing `solution`, `level` and `subject`. All
/// other fields stay.
struct RowFormat {
  const char* name;
  const char* reads;   ///< the fields of a published row
  const char* gold;    ///< what `answer` is then
  const char* reward;  ///< a reward that can judge it; empty: rows of any kind
  /// Adds the fields, or says why the row has not what it needs.
  std::optional<std::string> (*import)(Json& row);
};

/// All formats, the first of them `jsonl`: rows as they are.
std::span<const RowFormat> format_table();
std::vector<std::string> format_names();

/// UserError with the nearest name when there is none of that name.
const RowFormat& row_format(const std::string& name);

/// The row in its new form, or what is wrong with it and what the format reads.
std::optional<std::string> import_row(const RowFormat& format, Json& row);

/// The format that a row looks like; `jsonl` when it looks like none, or like several.
const RowFormat& guessed_format(const Json& row);

/// The content of the last \boxed{...} or \fbox{...} whose braces close, as in MATH's solutions, or
/// of "\boxed 5" up to a $ or white space. Nothing when there is none.
std::optional<std::string> last_boxed(std::string_view text);

}  // namespace aha
