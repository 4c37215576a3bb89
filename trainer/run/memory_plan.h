#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/model/model_config.h"

namespace aha {

/// What a stage will hold in memory at its largest, by purpose. Estimates from shapes, for prompts of the
/// longest length and completions that all reach their limit, of which none is left out of training.
struct MemoryPlan {
  std::vector<std::pair<std::string, std::int64_t>>
      parts;  ///< {"weights", bytes}, in a fixed order

  std::int64_t total() const;
  /// "weights 3 MB + optimizer 2 MB + ... = 180 MB".
  std::string text() const;
};

/// What a plan needs besides configuration and model.
struct MemoryInputs {
  std::int64_t longest_prompt = 0;  ///< tokens
  std::int64_t eval_prompts = 0;    ///< of the largest evaluation set; 0: none
  std::int64_t threads = 1;
  bool strict = false;
};

MemoryPlan plan_memory(const StageConfig& stage, const ModelConfig& model,
                       const MemoryInputs& inputs);

/// Memory of the machine in bytes; the control group's limit when that is smaller.
std::int64_t machine_memory();

}  // namespace aha
