#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/metrics/step_metrics.h"

namespace aha {

/// A page in Prometheus' text format, version 0.0.4. Every metric is a gauge: a run that is resumed goes back.
class PrometheusText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  /// `name` is a metric's name as Prometheus allows it, `help` any text. Samples of one name stand together,
  /// wherever they were added.
  void add(const std::string& name, std::string_view help, double value, const Labels& labels = {});

  /// The metrics of a row under names of their own: `aha_`, then the key with `_` for whatever is no letter
  /// and no digit. What `<...>` of the table stands for is a label, and so are `stage` and the evaluation's
  /// `set` behind the first:
  ///
  ///   rewards/numeric/mean          -> aha_rewards_mean{stage="grpo",func="numeric"}
  ///   eval_hard_pass@8              -> aha_eval_pass{stage="grpo",set="hard",k="8"}
  void add(const MetricsRow& row);

  std::string text() const;

 private:
  struct Family {
    std::string name;
    std::string help;
    std::string samples;  ///< lines
  };
  std::vector<Family> families_;  ///< in the order of their first samples
};

}  // namespace aha
