#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// A scorer program of the user's own, spoken to in lines of JSON (protocol.h) over pipes, in any number
/// of copies that live as long as the run (program_pool.h). `reach` starts them and waits
/// for their greeting: one that is not there, or speaks otherwise, is an error before anything is computed.
///
/// Options: `command` (a list of words, or a text of them; no shell), `copies`, `in_flight`,
/// `answer_limit_s` of an answer, `start_limit_s` of a greeting, `retries` after a copy's end, `verifier`
/// (whether it tells right from wrong).
///
/// What gets no answer cannot be judged. Scores are the scorer's: they are as deterministic as it is.
std::unique_ptr<Reward> make_command_reward(const RewardOptions& options);

}  // namespace aha
