#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/model/model_config.h"

namespace aha {

/// What a stage will hold in memory at its largest, by purpose. Estimates from shapes: an upper bound of
/// what the run's buffers take, without the program itself.
struct MemoryPlan {
  std::vector<std::pair<std::string, std::int64_t>>
      parts;  ///< {"weights", bytes}, in a fixed order

  std::int64_t total() const;
  /// "weights 3 MB + optimizer 2 MB + ... = 180 MB".
  std::string text() const;
};

/// `longest_prompt` tokens; `vocabulary` ids that may be drawn.
MemoryPlan plan_memory(const StageConfig& stage, const ModelConfig& model,
                       std::int64_t longest_prompt, bool strict);

/// Memory of the machine in bytes; the control group's limit when that is smaller.
std::int64_t machine_memory();

}  // namespace aha
