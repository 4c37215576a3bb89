#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "trainer/core/json.h"

namespace aha {

/// What a checkpoint holds beside tensors: trainer_state.json. No host name, no time, no absolute path:
/// the same run writes the same bytes everywhere.
struct TrainerState {
  std::int64_t stage_index = 0;
  std::string stage;
  std::int64_t step = 0;         ///< finished steps of the stage
  std::int64_t global_step = 0;  ///< finished steps of the job
  std::uint64_t cursor = 0;      ///< next draw ordinal of the stage
  std::int64_t updates = 0;      ///< optimizer updates of the stage (AdamW's t)
  std::int64_t num_tokens = 0;   ///< trained on so far, prompts included, as TRL counts
  double entropy_coef = 0.0;     ///< of the adaptive controller
  std::optional<double> best_metric;
  std::int64_t best_global_step = 0;
  std::map<std::string, std::int64_t>
      offsets;           ///< file below output_dir -> bytes that belong to this state
  std::string cpu_body;  ///< kernels that made it
  std::map<std::string, std::string> config;  ///< settled_values: what the run is, key by key
  std::string data;  ///< fingerprint of the stage's training file; empty for a generated task
  std::map<std::string, std::string> versions;  ///< "aha", "torch"

  bool operator==(const TrainerState&) const = default;
};

OrderedJson to_json(const TrainerState& state);

/// UserError naming the file and the key for anything missing or of the wrong type.
TrainerState state_from_json(const Json& json, const std::string& where);

}  // namespace aha
