#pragma once
#include <cstdint>

#include "trainer/model/model_config.h"

namespace aha {

/// Counts that follow from a decoder's shape alone, without its weights: what plans of memory and time are
/// made of. Elements, not bytes.
struct ModelSize {
  std::int64_t layers = 0;
  std::int64_t parameters = 0;  ///< all of them, as ParameterLayout::total

  std::int64_t block_parameters = 0;  ///< of one block
  std::int64_t block_weights = 0;     ///< in the matrices of one block: 2 FLOP each for a row
  std::int64_t head_weights = 0;      ///< V C: 2 FLOP each for a row whose next token is wanted
  std::int64_t attention_width =
      0;  ///< H D: 4 FLOP each, for a row and a position that it looks at

  std::int64_t qkv_width = 0;     ///< (H + 2 Hk) D
  std::int64_t kv_elements = 0;   ///< keys and values of one position, all layers
  std::int64_t kept_floats = 0;   ///< that a training forward pass keeps of one row in one block
  std::int64_t down_weights = 0;  ///< C F: the product of a block that is not computed again
};

ModelSize model_size(const ModelConfig& config);

/// Elements that training holds of a row, keys and values apart (Activations, BlockScratch, BackwardScratch, Learner).
struct TrainingRow {
  std::int64_t kept = 0;   ///< of every row of a micro-batch
  std::int64_t block = 0;  ///< of rows on their way through a block
  std::int64_t back = 0;   ///< of rows on their way back through a block, beside `block`
};

/// `recomputed`: a forward pass keeps of each block what enters it alone.
TrainingRow training_row(const ModelConfig& config, bool recomputed);

}  // namespace aha
