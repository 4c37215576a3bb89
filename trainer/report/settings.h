#pragma once
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/report/record.h"

namespace aha {

/// Every key of the job and of its stages: [[path, value, default]...], keys of stages as
/// "NAME.section.key". Empty without a configuration.
OrderedJson settings_json(const RunRecord& run);

/// One text of all that decides a run but its seed and its folder: equal for runs that are seeds of
/// one experiment. Empty without a configuration.
std::string settings_without_seed(const RunRecord& run);

/// log.reflection_words of the run, or the defaults.
std::vector<std::string> reflection_words(const RunRecord& run);

/// [[name, value]...] for the overview: what was trained on what, how long it took, how many tokens,
/// and the time of each phase.
OrderedJson facts_json(const RunRecord& run);

/// Seconds that the recorded steps took, evaluation and saving included, over all stages.
double seconds_spent(const RunRecord& run);

}  // namespace aha
