#include "trainer/metrics/step_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr std::string_view kEvalPrefix = "eval_";

/// A key taken apart: which set it belongs to and which row of the table describes it.
struct Found {
  std::string_view set;  ///< name with its '_', for sets after the first
  bool eval = false;
  std::size_t index = 0;
};

bool matches(std::string_view pattern, std::string_view key) {
  const auto open = pattern.find('<');
  if (open == std::string_view::npos) return pattern == key;
  const auto head = pattern.substr(0, open);
  const auto tail = pattern.substr(pattern.find('>', open) + 1);
  return key.size() > head.size() + tail.size() && key.starts_with(head) && key.ends_with(tail);
}

std::optional<std::size_t> table_index(std::string_view key, MetricScope excluded) {
  const auto table = metric_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const MetricInfo& info) {
    return info.scope != excluded && matches(info.key, key);
  });
  if (found == table.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.begin());
}

std::optional<Found> find(std::string_view key) {
  if (const auto index = table_index(key, MetricScope::Eval)) return Found{{}, false, *index};
  if (!key.starts_with(kEvalPrefix)) return std::nullopt;
  const auto rest = key.substr(kEvalPrefix.size());
  if (const auto index = table_index(rest, MetricScope::Train)) return Found{{}, true, *index};
  // eval_<set>_<key>: a set's name may hold '_' itself, so the longest known key decides.
  for (auto at = rest.find('_'); at != std::string_view::npos; at = rest.find('_', at + 1)) {
    if (at == 0) continue;
    if (const auto index = table_index(rest.substr(at + 1), MetricScope::Train))
      return Found{rest.substr(0, at + 1), true, *index};
  }
  return std::nullopt;
}

std::string keys_cell(const MetricInfo& info) {
  std::string cell = "`";
  if (info.scope == MetricScope::Eval) cell += kEvalPrefix;
  cell += info.key;
  cell += '`';
  if (info.scope == MetricScope::Both) {
    cell += ", `";
    cell += kEvalPrefix;
    cell += "...`";
  }
  return cell;
}

}  // namespace

std::optional<KnownMetric> known_metric(std::string_view key) {
  const auto found = find(key);
  if (!found) return std::nullopt;
  KnownMetric known{&metric_table()[found->index], found->eval, found->set, {}};
  const auto pattern = known.info->key;
  const auto open = pattern.find('<');
  if (open != std::string_view::npos) {
    const auto tail = pattern.size() - pattern.find('>') - 1;
    const auto head = open + (found->eval ? kEvalPrefix.size() + found->set.size() : 0);
    known.name = key.substr(head, key.size() - head - tail);
  }
  if (!known.set.empty()) known.set.remove_suffix(1);  // its '_'
  return known;
}

const MetricInfo* find_metric(std::string_view key) {
  const auto found = find(key);
  return found ? &metric_table()[found->index] : nullptr;
}

bool is_timing_key(std::string_view key) {
  return key == "step_time" || key.starts_with("timing_s/") || key.starts_with("perf/");
}

std::string metrics_markdown() {
  std::string text = "| key | unit | meaning | when |\n| --- | --- | --- | --- |\n";
  for (const auto& info : metric_table())
    text += fmt::format("| {} | {} | {} | {} |\n", keys_cell(info), info.unit, info.meaning,
                        info.when.empty() ? "always" : info.when);
  return text;
}

void MetricsRow::set(std::string_view key, double value) {
  const auto found = find(key);
  check(found.has_value(),
        fmt::format("metric '{}' is in the table of trainer/metrics/metric_table.cpp", key));
  Place place{"", found->index};
  if (found->eval) place.set = found->set.empty() ? " " : "!" + std::string(found->set);
  for (auto& [known, old] : entries_) {
    if (known == key) {
      old = value;
      return;
    }
  }
  const auto at = std::upper_bound(places_.begin(), places_.end(), place) - places_.begin();
  places_.insert(places_.begin() + at, place);
  entries_.insert(entries_.begin() + at, {std::string(key), value});
}

std::optional<double> MetricsRow::get(std::string_view key) const {
  for (const auto& [known, value] : entries_)
    if (known == key) return value;
  return std::nullopt;
}

OrderedJson MetricsRow::json() const {
  OrderedJson row;
  row["step"] = step_;
  row["global_step"] = global_step_;
  row["stage"] = stage_;
  for (const auto& [key, value] : entries_)
    row[key] = std::isfinite(value) ? OrderedJson(value) : OrderedJson(nullptr);
  return row;
}

}  // namespace aha
