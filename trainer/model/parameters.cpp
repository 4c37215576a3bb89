#include "trainer/model/parameters.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/core/philox.h"

namespace aha {
namespace {

/// Appends parameters one behind another.
class LayoutBuilder {
 public:
  std::int64_t matrix(std::string name, std::int64_t rows, std::int64_t columns) {
    return add(std::move(name), {rows, columns}, true);
  }
  /// Weights of a norm, or a bias.
  std::int64_t vector(std::string name, std::int64_t width) {
    return add(std::move(name), {width}, false);
  }
  ParameterLayout layout;

 private:
  std::int64_t add(std::string name, std::vector<std::int64_t> shape, bool decay) {
    std::int64_t size = 1;
    for (const auto n : shape)
      size *= n;
    const auto offset = layout.total;
    layout.index.emplace(name, layout.parameters.size());
    layout.parameters.push_back({std::move(name), std::move(shape), offset, size, true, decay});
    layout.total += size;
    return offset;
  }
};

std::int64_t add_qkv(LayoutBuilder& builder, const ModelConfig& c, const std::string& prefix) {
  const auto q_width = c.num_attention_heads * c.head_dim;
  const auto kv_width = c.num_key_value_heads * c.head_dim;
  if (c.family().fused)
    return builder.matrix(prefix + "qkv_proj.weight", q_width + 2 * kv_width, c.hidden_size);
  const auto at = builder.matrix(prefix + "q_proj.weight", q_width, c.hidden_size);
  builder.matrix(prefix + "k_proj.weight", kv_width, c.hidden_size);
  builder.matrix(prefix + "v_proj.weight", kv_width, c.hidden_size);
  return at;
}

void add_attention(LayoutBuilder& builder, const ModelConfig& c, const std::string& prefix,
                   BlockOffsets& at) {
  const auto q_width = c.num_attention_heads * c.head_dim;
  const auto kv_width = c.num_key_value_heads * c.head_dim;
  at.qkv = add_qkv(builder, c, prefix);
  if (c.family().qkv_bias) {
    at.qkv_bias = builder.vector(prefix + "q_proj.bias", q_width);
    builder.vector(prefix + "k_proj.bias", kv_width);
    builder.vector(prefix + "v_proj.bias", kv_width);
  }
  if (c.family().qk_norm) {
    at.qk_norm = builder.vector(prefix + "q_norm.weight", c.head_dim);
    builder.vector(prefix + "k_norm.weight", c.head_dim);
  }
  at.o = builder.matrix(prefix + "o_proj.weight", c.hidden_size, q_width);
}

std::int64_t add_gate_up(LayoutBuilder& builder, const ModelConfig& c, const std::string& prefix) {
  const auto width = c.intermediate_size;
  if (c.family().fused)
    return builder.matrix(prefix + "gate_up_proj.weight", 2 * width, c.hidden_size);
  const auto at = builder.matrix(prefix + "gate_proj.weight", width, c.hidden_size);
  builder.matrix(prefix + "up_proj.weight", width, c.hidden_size);
  return at;
}

BlockOffsets add_block(LayoutBuilder& builder, const ModelConfig& c, std::int64_t layer) {
  const auto prefix = "model.layers." + std::to_string(layer) + ".";
  BlockOffsets at;
  at.input_norm = builder.vector(prefix + "input_layernorm.weight", c.hidden_size);
  add_attention(builder, c, prefix + "self_attn.", at);
  at.post_norm = builder.vector(prefix + "post_attention_layernorm.weight", c.hidden_size);
  at.gate_up = add_gate_up(builder, c, prefix + "mlp.");
  at.down = builder.matrix(prefix + "mlp.down_proj.weight", c.hidden_size, c.intermediate_size);
  return at;
}

}  // namespace

const Parameter* ParameterLayout::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &parameters[found->second];
}

const Parameter& ParameterLayout::at(std::string_view name) const {
  const auto* parameter = find(name);
  check(parameter != nullptr, "the layout has a parameter of that name");
  return *parameter;
}

ParameterLayout make_layout(const ModelConfig& config) {
  LayoutBuilder builder;
  auto& layout = builder.layout;
  layout.embed = builder.matrix("model.embed_tokens.weight", config.vocab_size, config.hidden_size);
  for (std::int64_t l = 0; l < config.num_hidden_layers; ++l)
    layout.blocks.push_back(add_block(builder, config, l));
  layout.final_norm = builder.vector("model.norm.weight", config.hidden_size);
  layout.head = config.tie_word_embeddings
                    ? layout.embed
                    : builder.matrix("lm_head.weight", config.vocab_size, config.hidden_size);
  return std::move(layout);
}

Tensor init_parameters(const ParameterLayout& layout, const ModelConfig& config, std::uint64_t seed,
                       const Exec& exec) {
  constexpr std::int64_t kPiece = 1 << 14;
  Tensor values = at::empty({layout.total}, at::kFloat);
  auto* const data = values.mutable_data_ptr<float>();
  for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
    const auto& parameter = layout.parameters[p];
    auto* const out = data + parameter.offset;
    if (parameter.shape.size() == 1) {
      std::fill_n(out, parameter.size, parameter.name.ends_with(".bias") ? 0.0F : 1.0F);
      continue;
    }
    exec.run((parameter.size + kPiece - 1) / kPiece, [&](std::int64_t piece) {
      RandomKey key{.seed = seed, .purpose = Purpose::Init, .ordinal = p};
      const auto end = std::min(parameter.size, (piece + 1) * kPiece);
      for (auto e = piece * kPiece; e < end; ++e) {
        key.sample = static_cast<std::uint64_t>(e) >> 32U;
        key.position = static_cast<std::uint64_t>(e) & 0xffffffffU;
        out[e] = static_cast<float>(config.initializer_range * normal(key));
      }
    });
  }
  return values;
}

Tensor parameter_view(const Tensor& flat, const Parameter& parameter) {
  return flat.narrow(0, parameter.offset, parameter.size).view(parameter.shape);
}

}  // namespace aha
