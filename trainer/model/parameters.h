#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/parallel.h"
#include "trainer/core/tensor.h"
#include "trainer/model/model_config.h"

namespace aha {

/// One named tensor inside the flat buffer of a model's parameters.
struct Parameter {
  std::string name;                 ///< Hugging Face's, "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::int64_t> shape;  ///< row-major
  std::int64_t offset = 0;          ///< first element in the flat buffer
  std::int64_t size = 0;            ///< elements
  bool trainable = true;
  bool decay = true;  ///< weight decay applies: false for the weights of norms and for biases

  bool operator==(const Parameter&) const = default;
};

/// Offsets, in elements, of what one block reads. q, k and v are one matrix [(H + 2 K) D, C], gate
/// and up one matrix [2 F, C]: their tensors are neighbours in the buffer, or stored as one (phi3).
struct BlockOffsets {
  std::int64_t input_norm = 0;  ///< [C]
  std::int64_t qkv = 0;         ///< [(H + 2 K) D, C]
  std::int64_t o = 0;           ///< [C, H D]
  std::int64_t post_norm = 0;   ///< [C]
  std::int64_t gate_up = 0;     ///< [2 F, C]
  std::int64_t down = 0;        ///< [C, F]
  std::int64_t qkv_bias = 0;    ///< [(H + 2 K) D]; 0 where the family has none
  std::int64_t qk_norm = 0;     ///< [2, D], q's then k's; 0 where the family has none
};

/// Where every parameter of a model lies in one contiguous f32 buffer without gaps. Values,
/// gradients and optimizer moments share this layout. Order: embedding; per layer input_layernorm,
/// q, k, v, their biases (qwen2), q_norm, k_norm (qwen3), o, post_attention_layernorm, gate, up,
/// down; final norm; lm_head (absent when tied). Names and shapes are those of the family's files.
struct ParameterLayout {
  std::vector<Parameter> parameters;
  std::int64_t total = 0;            ///< elements of the buffer
  std::int64_t embed = 0;            ///< offset of [V, C]
  std::int64_t final_norm = 0;       ///< offset of [C]
  std::int64_t head = 0;             ///< offset of [V, C]; the embedding's when tied
  std::vector<BlockOffsets> blocks;  ///< [L]

  /// Nothing (null) when no parameter has that name.
  const Parameter* find(std::string_view name) const;
  /// InternalError when no parameter has that name.
  const Parameter& at(std::string_view name) const;

  std::map<std::string, std::size_t, std::less<>> index;  ///< name -> place in `parameters`
};

ParameterLayout make_layout(const ModelConfig& config);

/// The values of a new model [total] f32: norms 1, biases 0, everything else normal(0, initializer_range),
/// drawn by counter hash: element e of parameter p has the key (seed, Init, ordinal p, sample e /
/// 2^32, position e mod 2^32). Independent of threads and of the sizes of other parameters.
Tensor init_parameters(const ParameterLayout& layout, const ModelConfig& config, std::uint64_t seed,
                       const Exec& exec = {});

/// A view [shape] of one parameter in a flat buffer of this layout.
Tensor parameter_view(const Tensor& flat, const Parameter& parameter);

}  // namespace aha
