#include <fmt/format.h>

#include "rewards/offline.h"

namespace aha {

std::int64_t OfflineSummary::with_label() const {
  std::int64_t total = 0;
  for (const auto& outcome : labelled)
    total += outcome[0] + outcome[1];
  return total;
}

std::string OfflineSummary::text() const {
  auto lines = fmt::format("{} rows: {} equal, {} different, {} not judged", rows, equal, different,
                           unjudged);
  if (const auto all = with_label(); all > 0) {
    lines += fmt::format("\nagreement with the label: {} of {} ({:.2f} %)\n{:>12} {:>8} {:>8}",
                         agreeing(), all,
                         100.0 * static_cast<double>(agreeing()) / static_cast<double>(all), "",
                         "label 1", "label 0");
    const char* names[] = {"equal", "different", "not judged"};
    for (std::size_t i = 0; i < 3; ++i)
      lines += fmt::format("\n{:>12} {:>8} {:>8}", names[i], labelled[i][0], labelled[i][1]);
  }
  for (std::size_t i = 0; i < slowest.size(); ++i)
    lines += fmt::format("{}line {} with {}", i == 0 ? "\nmost steps: " : ", ", slowest[i].first,
                         slowest[i].second);
  return lines;
}

std::string OfflineSummary::bad_text() const {
  std::string text;
  for (const auto& line : bad_lines)
    text += (text.empty() ? "" : "\n") + line;
  const auto unnamed = bad - std::ssize(bad_lines);
  if (unnamed > 0) text += fmt::format("\n... and {} more", unnamed);
  if (bad > 1) text += fmt::format("\n{} rows were not scored, {} were", bad, rows);
  if (!stopped.empty()) text += (text.empty() ? "" : "\n") + stopped;
  return text;
}

}  // namespace aha
