#include "trainer/model/gguf_model.h"

#include <ATen/ops/empty.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/problems.h"

namespace aha {
namespace {

/// Names of a tensor in Hugging Face's files and in GGUF, without what stands before and after them.
using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array kOutside = {
    Names{"model.embed_tokens", "token_embd"},
    Names{"model.norm", "output_norm"},
    Names{"lm_head", "output"},
};
constexpr std::array kInLayer = {
    Names{"input_layernorm", "attn_norm"},    Names{"self_attn.q_proj", "attn_q"},
    Names{"self_attn.k_proj", "attn_k"},      Names{"self_attn.v_proj", "attn_v"},
    Names{"self_attn.o_proj", "attn_output"}, Names{"post_attention_layernorm", "ffn_norm"},
    Names{"mlp.gate_proj", "ffn_gate"},       Names{"mlp.up_proj", "ffn_up"},
    Names{"mlp.down_proj", "ffn_down"},
};
constexpr std::string_view kLayers = "model.layers.";

template <std::size_t N>
std::string_view gguf_name(const std::array<Names, N>& names, std::string_view wanted) {
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const Names& pair) { return pair.first == wanted; });
  check(found != names.end(), "every parameter has a name in GGUF");
  return found->second;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Rows (2 i + s) of each head, as GGUF has them, to rows (s D/2 + i), s in {0, 1}.
void unpair_rows(std::span<float> values, std::int64_t head_dim, std::int64_t columns) {
  const std::vector<float> paired(values.begin(), values.end());
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto in_head = row % head_dim;
    const auto from = row - in_head + in_head % (head_dim / 2) * 2 + in_head / (head_dim / 2);
    std::copy_n(paired.begin() + from * columns, columns, values.begin() + row * columns);
  }
}

bool is_paired(std::string_view parameter) {
  return parameter.ends_with(".self_attn.q_proj.weight") ||
         parameter.ends_with(".self_attn.k_proj.weight");
}

}  // namespace

std::string gguf_tensor_name(std::string_view parameter) {
  const auto kind = parameter.rfind('.');  // .weight
  const auto ending = parameter.substr(kind);
  auto name = parameter.substr(0, kind);
  if (!name.starts_with(kLayers)) return std::string(gguf_name(kOutside, name)).append(ending);
  name.remove_prefix(kLayers.size());
  const auto layer = name.substr(0, name.find('.'));
  name.remove_prefix(layer.size() + 1);
  return std::string("blk.")
      .append(layer)
      .append(".")
      .append(gguf_name(kInLayer, name))
      .append(ending);
}

void check_gguf_weights(const GgufFile& file, const ParameterLayout& layout) {
  ModelProblems problems(file.path().string());
  std::set<std::string, std::less<>> wanted;
  for (const auto& parameter : layout.parameters) {
    const auto name = gguf_tensor_name(parameter.name);
    const auto* tensor = file.find(name);
    if (tensor == nullptr)
      problems.add("tensor {} is missing, expected shape {}", gguf_shown(name),
                   shape_text(parameter.shape));
    else if (tensor->shape != parameter.shape)
      problems.add("tensor {} has shape {}, expected {}", gguf_shown(name),
                   shape_text(tensor->shape), shape_text(parameter.shape));
    wanted.insert(name);
  }
  wanted.emplace(kGgufRopeTensor);  // read with the settings
  for (const auto& [name, tensor] : file.tensors())
    if (!wanted.contains(name))
      problems.add("tensor {} with shape {} is not a part of this model", gguf_shown(name),
                   shape_text(tensor.shape));
  problems.raise();
}

Tensor gguf_weights(const GgufFile& file, const ModelConfig& config,
                    const ParameterLayout& layout) {
  check_gguf_weights(file, layout);
  Tensor values = at::empty({layout.total}, at::kFloat);
  auto* const data = values.mutable_data_ptr<float>();
  for (const auto& parameter : layout.parameters) {
    const std::span out(data + parameter.offset, static_cast<std::size_t>(parameter.size));
    file.read(gguf_tensor_name(parameter.name), out);
    if (is_paired(parameter.name)) unpair_rows(out, config.head_dim, config.hidden_size);
  }
  return values;
}

}  // namespace aha
