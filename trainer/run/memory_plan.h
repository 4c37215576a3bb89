#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/model/model_config.h"
#include "trainer/optim/trained_weights.h"

namespace aha {

/// What a rank of a stage will hold in memory at its largest, by purpose. Estimates from shapes.
struct MemoryPlan {
  std::vector<std::pair<std::string, std::int64_t>>
      parts;  ///< {"weights", bytes}, in a fixed order

  std::int64_t total() const;
  std::int64_t part(std::string_view name) const;  ///< 0: there is none
  /// "weights 3 MB + optimizer 2 MB + ... = 180 MB".
  std::string text() const;
};

/// What a policy answers, or what rows of sft hold, as far as memory goes.
struct Answers {
  double mean_tokens = 0;  ///< of a completion; sft: of a row, its prompt included
  /// Of the groups: those whose rewards differ, where others are left out.
  double trained_share = 1;
  double mean_prompt = 0;  ///< tokens of a prompt; 0: as the longest
};

/// What a plan needs besides configuration and model.
struct MemoryInputs {
  std::int64_t longest_prompt = 0;  ///< tokens
  std::int64_t eval_prompts = 0;    ///< of the largest evaluation set; 0: none
  std::int64_t threads = 1;         ///< of a rank
  bool strict = false;
  int ranks = 1;
  bool neighbours = false;  ///< ranks fetch from each other's memory: none has room for what is sent
  /// Nothing: the most that the configuration allows, where every completion reaches its limit and none is
  /// left out of training.
  std::optional<Answers> answers = std::nullopt;
  /// How the job's ranks hold weights (division_of); nothing: as the stage alone says.
  std::optional<TrainedWeights::Options> division = std::nullopt;
};

/// The memory of one rank. Keys and values are taken for full completions whatever the answers; the
/// activations of training follow the answers.
MemoryPlan plan_memory(const StageConfig& stage, const ModelConfig& model,
                       const MemoryInputs& inputs);

/// The stage with train.gradient_checkpointing on.
StageConfig recomputed(StageConfig stage);

/// Memory of the machine in bytes; the control group's limit when that is smaller.
std::int64_t machine_memory();

}  // namespace aha
