#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/config/schema.h"

namespace aha {

/// A machine that need not be this one.
struct MachineRequest {
  std::string kind;           ///< a MachineKind's name
  std::int64_t ranks = 1;     ///< of the whole job
  std::int64_t per_node = 0;  ///< ranks of one machine; 0: as the kind has them
};

/// What a job would take on another machine, as lines: time and bytes of each phase of a step, memory of a
/// rank with a verdict, and what other ways to divide it would take. Computed from the configuration and the
/// model's config.json alone, for prompts of data.max_prompt_length and completions that reach their limit:
/// reads neither weights nor data. Says what it has not run on.
/// UserError for an unknown kind, and when the model's shape cannot be read.
std::vector<std::string> machine_plan(const Config& config, const MachineRequest& request);

}  // namespace aha
