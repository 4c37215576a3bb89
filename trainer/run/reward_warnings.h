#pragma once
#include <string>
#include <vector>

#include "rewards/scorer.h"
#include "trainer/run/stage.h"

namespace aha {

/// What is legal of a stage's rewards but likely not meant, seen from their settings and the data, as lines of a plan:
///
///   sources     those of a reward are of no row
///   weight      no verifier is paid for, and one is punished
///   timeout_s   less than one test of `code` may take
///   rows        Scorer::row_doubt
///
/// Of endless data the first rows are looked at.
std::vector<std::string> reward_warning_lines(const StageConfig& stage, const StageData& data,
                                              const Scorer& scorer);

}  // namespace aha
