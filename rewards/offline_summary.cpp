#include <fmt/format.h>

#include <algorithm>

#include "rewards/offline.h"

namespace aha {
namespace {

constexpr std::size_t kMostNamed = 20;
constexpr std::size_t kMostMessageBytes = 240;

/// A message that may repeat what stood in a row: cut at the border of a character, and without bytes that
/// a terminal would obey.
std::string shown(std::string_view what) {
  const auto inside = [&](std::size_t i) {
    return (static_cast<unsigned char>(what[i]) & 0xC0U) == 0x80U;
  };
  std::size_t end = std::min(what.size(), kMostMessageBytes);
  while (end > 0 && end < what.size() && inside(end))
    --end;
  std::string out;
  for (std::size_t i = 0; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(what[i]);
    // C1 controls are 0xC2 0x80 to 0xC2 0x9F
    const bool c1 = byte == 0xC2 && i + 1 < end && static_cast<unsigned char>(what[i + 1]) < 0xA0;
    if (byte >= 0x20 && byte != 0x7F && !c1)
      out += what[i];
    else
      out += fmt::format("\\x{:02x}", c1 ? static_cast<unsigned char>(what[++i]) : byte);
  }
  return end < what.size() ? out + "..." : out;
}

}  // namespace

void OfflineSummary::add_bad(std::string_view what) {
  ++bad;
  if (bad_lines.size() < kMostNamed) bad_lines.push_back(shown(what));
}

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
    lines += fmt::format(
        "\nagreement with the label: {} of {} ({:.2f} %)\n{:>12} {:>8} {:>8}", agreeing, all,
        100.0 * static_cast<double>(agreeing) / static_cast<double>(all), "", "label 1", "label 0");
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
  if (!unused_label.empty())
    text += fmt::format("{}--label {}: no row has such a field with a number, true or false",
                        text.empty() ? "" : "\n", unused_label);
  if (!stopped.empty()) text += (text.empty() ? "" : "\n") + stopped;
  return text;
}

}  // namespace aha
