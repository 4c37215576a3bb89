#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/group.h"

namespace aha {

/// What the rows of one step have in common.
struct CompletionRowInputs {
  std::string stage;
  std::int64_t step = 0;
  std::int64_t global_step = 0;
  std::span<const std::string> reward_names;  ///< in the order of Score::parts
  bool ids = false;                           ///< also write token ids
  bool logprobs = false;                      ///< also write logprobs and entropies
};

/// The row of a completions file for completion `index` of `group`, in this order: step,
/// global_step, stage, ordinal, row, source, index, prompt, completion, length, finish ("stop",
/// "string", "length"), fields (of the prompt's row, up to 64 KiB; fields_left_out names the others), and when
/// scored rewards {name: score or null}, reward, accuracy, extracted and reasons {name: text, where there is one};
/// then advantage when given, prompt_ids and completion_ids on request, logprobs and entropies (nats, of each token,
/// four decimals) on request. What cannot be judged is null.
OrderedJson completion_row(const CompletionRowInputs& inputs, const Group& group, std::size_t index,
                           std::optional<double> advantage = std::nullopt);

}  // namespace aha
