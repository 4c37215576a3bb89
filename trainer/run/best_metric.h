#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "trainer/config/schema.h"
#include "trainer/metrics/step_metrics.h"

namespace aha {

/// Prefix of an evaluation set's metrics -> share of its completions that could not be judged.
using UnjudgedShares = std::map<std::string, double, std::less<>>;

/// UserError when the row of an evaluation has no checkpoint.best_metric.
void require_best_metric(const StageConfig& stage, const MetricsRow& row);

/// The row's checkpoint.best_metric where it is above `best`; nothing when it is not, or is no number. Nothing
/// either, and a line on the log, when more of its set's completions than reward.max_unjudged went unjudged: it
/// is then the mean over the few that were.
std::optional<double> better_value(const StageConfig& stage, const MetricsRow& row,
                                   const UnjudgedShares& unjudged, std::optional<double> best);

}  // namespace aha
