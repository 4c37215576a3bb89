#pragma once
#include <string>

#include "trainer/model/model_config.h"

namespace aha_test {

/// Large enough that ranks' slices end inside of parameters. qwen2 has biases, qwen3 norms of q and k.
inline aha::ModelConfig small_model(const std::string& family, bool tied, std::int64_t layers) {
  aha::ModelConfig config;
  config.model_type = family;
  config.vocab_size = 90;
  config.hidden_size = 32;
  config.num_hidden_layers = layers;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 8;
  config.intermediate_size = 48;
  config.tie_word_embeddings = tied;
  return config;
}

}  // namespace aha_test
