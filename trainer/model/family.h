#pragma once
#include <span>
#include <string_view>

namespace aha {

/// What sets one family of decoders apart from the others, by its `model_type`.
struct Family {
  std::string_view model_type;    ///< "qwen2"
  std::string_view architecture;  ///< class in transformers, "Qwen2ForCausalLM"
  bool qkv_bias = false;          ///< q, k and v projections have biases
  bool qk_norm = false;           ///< RMSNorm over each head of q and k, before the rotation
  bool fused = false;             ///< stores qkv_proj and gate_up_proj as one matrix each
};

/// Every family that is built: llama, qwen2, qwen3, mistral, phi3.
std::span<const Family> families();

/// Null when there is no such family.
const Family* find_family(std::string_view model_type);

}  // namespace aha
