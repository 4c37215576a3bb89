#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/core/types/group.h"
#include "trainer/run/device_plan.h"
#include "trainer/run/memory_plan.h"

namespace aha {

/// What one stage will do, as lines for a reader.
struct StagePlan {
  std::string name;
  std::vector<std::string> lines;
  MemoryInputs inputs;
  MemoryPlan memory;  ///< of a rank, at most
};

/// How many ranks a job has, and how many of them on this machine.
struct JobRanks {
  int all = 1;
  int here = 1;
  bool neighbours = false;                      ///< they read each other's memory
  std::optional<DeviceRoom> least_room = {};  ///< of all ranks' GPUs; nothing: the one that is here
};

/// Checks everything that can be checked without a step: model and tokenizer, every dataset and gold,
/// lengths against the model's positions, rewards on an ideal completion, memory. Writes nothing.
/// UserError for whatever would end the run later.
std::vector<StagePlan> preflight(const Config& config, const JobRanks& ranks = {});

/// How long sampled completions are, and how many of their groups an update runs.
Answers answers_of(const StageConfig& stage, std::span<const Group> groups);

/// The plans as text, with a first line about the job.
std::vector<std::string> plan_lines(const Config& config, const std::vector<StagePlan>& plans);

/// A text as one quoted line (JSON's escapes), cut at `limit` bytes: for plans and samples.
std::string shortened(const std::string& text, std::size_t limit = 240);

}  // namespace aha
