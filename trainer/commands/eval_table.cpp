#include "trainer/commands/eval_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "trainer/metrics/interval.h"

namespace aha {
namespace {

using Line = std::vector<std::string>;

std::optional<double> value_of(const MeasuredSet& set, const std::string& key) {
  for (const auto& [name, value] : set.values)
    if (name == key && std::isfinite(value)) return value;
  return std::nullopt;
}

std::string number(const MeasuredSet& set, const std::string& key, int digits, double scale = 1.0) {
  const auto value = value_of(set, key);
  return value ? fmt::format("{:.{}f}", *value * scale, digits) : "-";
}

bool is_optional_column(const std::string& key) {
  return key == "greedy_accuracy" || key.starts_with("pass@") || key.starts_with("maj@");
}

/// Keys that some sets have and others may not, in the order of their first use.
std::vector<std::string> optional_columns(std::span<const MeasuredSet> sets) {
  std::vector<std::string> keys;
  for (const auto& set : sets)
    for (const auto& [key, value] : set.values)
      if (is_optional_column(key) && std::find(keys.begin(), keys.end(), key) == keys.end())
        keys.push_back(key);
  return keys;
}

std::string aligned(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  std::string text;
  for (const auto& line : lines) {
    text += fmt::format("{:<{}}", line[0], widths[0]);
    for (std::size_t i = 1; i < line.size(); ++i)
      text += fmt::format("  {:>{}}", line[i], widths[i]);
    text += '\n';
  }
  return text;
}

}  // namespace

OrderedJson MeasuredSet::json() const {
  OrderedJson row{{"set", name}, {"prompts", prompts}, {"samples", samples}};
  for (const auto& [key, value] : values)
    row[key] = value;
  return row;
}

std::string eval_table(std::span<const MeasuredSet> sets) {
  const auto keys = optional_columns(sets);
  Line head = {"set", "prompts", "samples", "accuracy"};
  for (const auto& key : keys)
    head.push_back(key == "greedy_accuracy" ? "greedy" : key);
  head.insert(head.end(), {"length", "truncated"});
  std::vector<Line> lines = {head};
  for (const auto& set : sets) {
    Line line = {set.name, fmt::format("{}", set.prompts), fmt::format("{}", set.samples),
                 accuracy_text(value_of(set, "accuracy"), value_of(set, "accuracy_stderr"))};
    for (const auto& key : keys)
      line.push_back(number(set, key, 3));
    line.push_back(number(set, "completions/mean_length", 1));
    line.push_back(number(set, "completions/clipped_ratio", 1, 100.0) + " %");
    lines.push_back(line);
  }
  return aligned(lines) + "(+-: 95 % interval, problems as the unit)\n";
}

}  // namespace aha
