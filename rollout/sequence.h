#pragma once
#include <cstdint>
#include <vector>

#include "trainer/core/types/completion.h"
#include "trainer/kernels/ops.h"

namespace aha {

/// A prompt whose keys and values are computed once and shared by its completions.
struct SharedPrompt {
  std::size_t request = 0;           ///< index of its GroupRequest
  std::vector<std::int32_t> blocks;  ///< of the whole prompt; the last may be partly filled
  std::int32_t place = 0;            ///< among the prompts that are held
  std::int64_t to_start = 0;         ///< completions not yet admitted
  std::int64_t unfinished = 0;       ///< completions not yet done
};

/// A completion that is being decoded, in a slot of the batch.
struct Sequence {
  SharedPrompt* prompt = nullptr;
  Completion* completion = nullptr;
  std::uint64_t ordinal = 0;
  std::int64_t sample = 0;      ///< in its random key
  std::int64_t max_length = 0;  ///< tokens that the completion may have
  std::int32_t slot = 0;
  std::int32_t position = 0;  ///< of the next row to run; a device's slot counts on from the first
  std::int64_t asked = 0;     ///< tokens asked for, at least those that are drawn
  std::vector<std::int32_t> table;  ///< shared full prompt blocks, then its own
};

}  // namespace aha
