#pragma once
#include "trainer/core/tensor.h"
#include "trainer/model/gguf.h"
#include "trainer/model/model_config.h"
#include "trainer/model/parameters.h"

namespace aha {

/// The settings of the model in a GGUF file, as its config.json would have them.
///
/// Whatever the file asks for that the decoder does not do is an error, never ignored: another
/// `general.architecture` than llama, a partial rotary embedding or one that is scaled otherwise than Llama 3.1's, experts, a setting of the
/// architecture that we do not know. UserError with one line per problem: "FILE: "key" is ...".
ModelConfig gguf_model_config(const GgufFile& file);

/// The scaling of which "rope_freqs.weight" holds what each frequency is divided by, [D/2]: none, or llama3's with
/// low_freq_factor 1, or with `original` positions where that is known; equal to 1e-5. Nothing when there is no such one.
std::optional<RopeScaling> gguf_rope_scaling(ModelConfig config, std::span<const float> divisors,
                                             std::optional<std::int64_t> original);
inline constexpr std::string_view kGgufRopeTensor = "rope_freqs.weight";

/// The checks of `gguf_weights` alone: every parameter has a tensor of its shape, every other tensor but that one a
/// parameter. UserError with one line per problem.
void check_gguf_weights(const GgufFile& file, const ParameterLayout& layout);

/// The weights [layout.total] f32, in the order of Hugging Face: GGUF stores the rows of llama's q
/// and k in pairs (i, i + D/2) of each head, which is undone.
Tensor gguf_weights(const GgufFile& file, const ModelConfig& config, const ParameterLayout& layout);

/// "blk.0.attn_q.weight" for "model.layers.0.self_attn.q_proj.weight".
std::string gguf_tensor_name(std::string_view parameter);

}  // namespace aha
