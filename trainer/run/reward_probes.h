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
///   ideal    the template's (or task's) ideal completions of the first 8 prompts, tags set in the way that is
///            paid best (tag_layouts): full marks of "accuracy", and of every verifier and format that is paid for
///   empty    nothing written: neither right nor paid
///   copied   the prompt written again: neither, up to chance
///
/// A line "warning" follows where one is otherwise, and reward_warning_lines at the end. UserError for more than data.max_invalid golds that are not
/// right, once one of them is for `math` or `numeric` (those of other sources count then, too), and where nothing
/// could be judged. All golds are tried, and 200 prompts for the last two; 16 where a reward runs programs or has
/// others judge.
std::vector<std::string> reward_probe_lines(const RewardProbes& probes);

}  // namespace aha
