#pragma once
#include <string>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// A rule between keys that a configuration breaks.
struct BrokenRule {
  std::string stage;    ///< name of the stage; empty: the whole job
  std::string key;      ///< the key to look at first, such as "rollout.top_p"
  std::string message;  ///< what is wrong and what would be right, without the place
};

/// Every broken rule, of all stages.
std::vector<BrokenRule> broken_rules(const Config& config);

/// Legal, but likely not meant: a line each, beginning with the key.
std::vector<std::string> config_warnings(const Config& config);

/// The batch equation of a stage as one line: prompts x generations = completions a step, updates a step,
/// completions an update.
std::string batch_equation(const StageConfig& stage);

}  // namespace aha
