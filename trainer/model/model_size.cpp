#include "trainer/model/model_size.h"

#include <algorithm>

namespace aha {

ModelSize model_size(const ModelConfig& c) {
  const Family& family = c.family();
  const std::int64_t C = c.hidden_size;
  const std::int64_t D = c.head_dim;
  const std::int64_t F = c.intermediate_size;
  const std::int64_t heads = c.num_attention_heads + c.num_key_value_heads;
  ModelSize size;
  size.layers = c.num_hidden_layers;
  size.qkv_width = (heads + c.num_key_value_heads) * D;
  size.attention_width = c.num_attention_heads * D;
  size.block_weights = C * (size.qkv_width + size.attention_width + 3 * F);
  size.block_parameters = size.block_weights + 2 * C + (family.qkv_bias ? size.qkv_width : 0) +
                          (family.qk_norm ? 2 * D : 0);
  size.head_weights = c.vocab_size * C;
  size.parameters = c.num_hidden_layers * size.block_parameters + C +
                    (c.tie_word_embeddings ? 1 : 2) * size.head_weights;
  size.kv_elements = 2 * c.num_hidden_layers * c.num_key_value_heads * D;
  // x_in, x_mid and their norms' scales; qkv; q and k before their norm; attention with its log-sums;
  // gate and up
  size.kept_floats = 2 * (C + 1) + size.qkv_width + (family.qk_norm ? heads * (D + 1) : 0) +
                     c.num_attention_heads * (D + 1) + 2 * F;
  size.down_weights = C * F;
  return size;
}

TrainingRow training_row(const ModelConfig& c, bool recomputed) {
  const ModelSize size = model_size(c);
  const std::int64_t C = c.hidden_size;
  const std::int64_t F = c.intermediate_size;
  // after the last block: x_out with its norm's scale, hidden; of the head: rows that predict, their derivative,
  // that of hidden
  const std::int64_t edges = 5 * C + 1;
  TrainingRow row;
  row.kept = size.layers * (recomputed ? C : size.kept_floats) + edges;
  row.block = C + F + (recomputed ? size.kept_floats - C : 0);
  // the derivative of attention takes the place of SwiGLU's
  row.back = C + size.qkv_width + std::max<std::int64_t>(0, size.attention_width - F);
  return row;
}

}  // namespace aha
