#include "trainer/run/best_metric.h"

#include <spdlog/spdlog.h>

#include <cmath>

#include "trainer/core/error.h"

namespace aha {
namespace {

double unjudged_of(const std::string& metric, const UnjudgedShares& shares) {
  const auto known = known_metric(metric);
  if (!known || !known->eval) return 0;
  const auto found =
      shares.find(known->set.empty() ? "eval_" : fmt::format("eval_{}_", known->set));
  return found == shares.end() ? 0 : found->second;
}

}  // namespace

void require_best_metric(const StageConfig& stage, const MetricsRow& row) {
  const auto& name = stage.checkpoint.best_metric;
  if (!name.empty() && !row.get(name))
    fail("checkpoint.best_metric: an evaluation gives no '{}'", name);
}

std::optional<double> better_value(const StageConfig& stage, const MetricsRow& row,
                                   const UnjudgedShares& unjudged, std::optional<double> best) {
  const auto& name = stage.checkpoint.best_metric;
  if (name.empty()) return std::nullopt;
  require_best_metric(stage, row);
  const auto value = row.get(name);
  if (!std::isfinite(*value) || (best && *value <= *best)) return std::nullopt;
  const double share = unjudged_of(name, unjudged);
  if (share <= stage.reward.max_unjudged) return value;
  spdlog::warn(
      "{} {:.4g} after step {} does not count as the best: {:.0f} % of the completions could not "
      "be judged, more than reward.max_unjudged ({:g})",
      name, *value, row.step(), 100 * share, stage.reward.max_unjudged);
  return std::nullopt;
}

}  // namespace aha
