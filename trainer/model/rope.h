#pragma once
#include <vector>

#include "trainer/model/model_config.h"

namespace aha {

/// Cosines and sines of the rotary embedding, [positions, R / 2] with R = rotary_dims(), times the
/// attention factor of longrope (which is 1 elsewhere).
struct RopeTable {
  std::vector<float> cos, sin;
};

/// Angles a position turns each pair of dimensions by, [R / 2], from f_i = theta^(-2 i / R):
///  - default  f_i                                                     (Su et al. 2021, eq. 15)
///  - linear   f_i / factor                                            (Chen et al. 2023)
///  - llama3   with w = original_positions f_i / 2 pi turns in the original context: f_i where
///             w > high, f_i / factor where w < low, between them (1 - s) f_i / factor + s f_i with
///             s = (w - low) / (high - low)                            (Llama 3.1, transformers)
///  - longrope f_i / short_factor_i, or / long_factor_i in a long context (Ding et al. 2024)
/// Computed in f64, rounded once.
std::vector<float> rope_frequencies(const ModelConfig& config);

/// What longrope multiplies cosines and sines by: attention_factor, or sqrt(1 + ln factor / ln
/// original_positions) where factor > 1; factor is max_position_embeddings / original_positions
/// where none is given. 1 for the others.
double rope_attention_factor(const ModelConfig& config);

RopeTable make_rope_table(const ModelConfig& config);

}  // namespace aha
