#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/report/record.h"

namespace aha {

/// One picture of the page. `keys` are metrics, separated by spaces; one may hold a `<...>`, which
/// stands for any text.
struct Chart {
  std::string_view id;  ///< in the page's address and in the verdict
  std::string_view title;
  std::string_view unit;  ///< of the vertical axis
  std::string_view keys;
  std::string_view says;  ///< what to look for, one sentence or two
};

/// All charts, in the order of the page. The first three are figures 1 and 9 of DeepSeek-R1
/// (arXiv:2501.12948).
std::span<const Chart> chart_table();

/// The keys that a chart draws: those of its patterns that have a value in the main stage of some
/// run, in the order of the patterns.
std::vector<std::string> chart_keys(const Chart& chart, std::span<const RunRecord> runs);

/// True when `key` is `pattern`, of which one part may be `<...>`.
bool matches(std::string_view pattern, std::string_view key);

}  // namespace aha
