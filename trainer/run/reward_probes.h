#pragma once
#include <string>
#include <vector>

#include "rewards/scorer.h"
#include "trainer/run/stage.h"

namespace aha {

/// What the rewards of a stage are tried on.
struct RewardProbes {
  const StageConfig& stage;
  const StageData& data;
  const Tokenizer& tokenizer;
  const Scorer& scorer;
};

/// What the rewards say of completions whose worth is known, as lines of a plan:
///
///   gold     the golds of a file: each, by itself or as the template's ideal completion, must be right
///   ideal    the template's (or task's) ideal completion of the first prompt: full marks
///   empty    nothing written: not right
///   copied   the prompt written again: not right, up to chance
///
/// A line "warning" follows where one is otherwise. UserError for more than data.max_invalid golds that are not
/// right, once one of them is for `math` or `numeric` (those of other sources count then, too). Of long files the first 2,000 rows are tried (200 prompts for the last
/// two), and 16 where a program or machine outside judges.
std::vector<std::string> reward_probe_lines(const RewardProbes& probes);

}  // namespace aha
