#pragma once
#include "trainer/model/model_config.h"

namespace aha_test {

/// Shapes of the published Qwen2.5 config.json files.
inline aha::ModelConfig qwen(std::int64_t C, std::int64_t F, std::int64_t L, std::int64_t H,
                             std::int64_t Hk) {
  aha::ModelConfig config;
  config.model_type = "qwen2";
  config.hidden_size = C;
  config.intermediate_size = F;
  config.num_hidden_layers = L;
  config.num_attention_heads = H;
  config.num_key_value_heads = Hk;
  config.head_dim = C / H;
  config.vocab_size = C > 2048 ? 152'064 : 151'936;
  config.tie_word_embeddings = C <= 2048;
  return config;
}

inline aha::ModelConfig qwen_05b() {
  return qwen(896, 4864, 24, 14, 2);
}
inline aha::ModelConfig qwen_15b() {
  return qwen(1536, 8960, 28, 12, 2);
}
inline aha::ModelConfig qwen_7b() {
  return qwen(3584, 18944, 28, 28, 4);
}
inline aha::ModelConfig qwen_14b() {
  return qwen(5120, 13824, 48, 40, 8);
}

}  // namespace aha_test
