#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// Where a metric occurs. An evaluation's metrics carry `eval_` before the key, and sets after the
/// first `eval_<set>_`.
enum class MetricScope : std::uint8_t {
  Train,  ///< as it stands
  Both,   ///< as it stands, and with the prefix
  Eval,   ///< with the prefix only
};

/// One row of the table of metrics. `key` may hold one `<...>`, which stands for any text that is
/// not empty.
struct MetricInfo {
  std::string_view key;
  std::string_view unit;     ///< empty: a plain number
  std::string_view meaning;  ///< one sentence
  std::string_view when;     ///< empty: in every row of its scope
  MetricScope scope = MetricScope::Train;
};

/// Every metric there is, in the order in which rows are written. Names are TRL's where TRL has the
/// thing (TRL 1.16, GRPOTrainer).
std::span<const MetricInfo> metric_table();

/// A key as it stands in a row, taken apart.
struct KnownMetric {
  const MetricInfo* info = nullptr;
  bool eval = false;      ///< of an evaluation
  std::string_view set;   ///< the evaluation set; empty: the first
  std::string_view name;  ///< what the entry's `<...>` stands for; empty: it has none
};

/// Nothing for a key that the table does not know.
std::optional<KnownMetric> known_metric(std::string_view key);

/// The entry for a key as it stands in a row, prefix included; null when there is none.
const MetricInfo* find_metric(std::string_view key);

/// True for `step_time`, `timing_s/...` and `perf/...`: the keys that may differ between two runs
/// that are otherwise equal byte for byte.
bool is_timing_key(std::string_view key);

/// The table of metrics as Markdown, for the documentation.
std::string metrics_markdown();

/// Metrics by their bare keys, in any order: what the reductions return.
using MetricValues = std::vector<std::pair<std::string, double>>;

/// One row of metrics.jsonl: {"step", "global_step", "stage", then metrics in table order}.
///
/// A value that is not a number (a mean over nothing, the std of one value) is kept as NaN and
/// written as null. Setting a key that the table does not know is an InternalError: the table stays
/// complete.
class MetricsRow {
 public:
  MetricsRow(std::string stage, std::int64_t step, std::int64_t global_step)
      : stage_(std::move(stage)), step_(step), global_step_(global_step) {}

  /// Sets or replaces.
  void set(std::string_view key, double value);
  /// Sets each {key, value} of a range (MetricValues, a task's map of rates, ...) with `prefix`
  /// before the key: "" in training, "eval_" for the first evaluation set, "eval_<set>_" for the
  /// others.
  template <class Pairs>
  void add(const Pairs& values, std::string_view prefix = "") {
    for (const auto& [key, value] : values)
      set(std::string(prefix) + std::string(key), value);
  }

  std::optional<double> get(std::string_view key) const;  ///< nothing: not set

  const std::string& stage() const { return stage_; }
  std::int64_t step() const { return step_; }                ///< within the stage
  std::int64_t global_step() const { return global_step_; }  ///< across the job

  /// In table order: training metrics, then those of the first evaluation set, then of the others
  /// by name; keys of one pattern in the order in which they were set.
  std::span<const std::pair<std::string, double>> entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }

  OrderedJson json() const;

 private:
  std::string stage_;
  std::int64_t step_;
  std::int64_t global_step_;
  /// Where an entry stands in the row.
  struct Place {
    std::string
        set;  ///< "" in training, " " for the first evaluation set, else "!" + the set's name
    std::size_t index = 0;                                          ///< in the table
    friend auto operator<=>(const Place&, const Place&) = default;  // NOLINT(modernize-use-nullptr)
  };
  std::vector<Place> places_;  ///< of entries_, ascending
  MetricValues entries_;
};

}  // namespace aha
