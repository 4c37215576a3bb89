#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "trainer/core/text.h"
#include "trainer/model/gguf_model.h"
#include "trainer/model/problems.h"

namespace aha {
namespace {

/// Settings of an architecture that are read, or that change nothing.
constexpr std::array kKnownSettings = {
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "vocab_size",
    "tensor_data_layout",
    "expert_count",
    "expert_used_count",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.layer_norm_rms_epsilon",
    "attention.sliding_window",
    "rope.freq_base",
    "rope.dimension_count",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
};

/// Reads the settings below "ARCHITECTURE.".
class Settings {
 public:
  Settings(const GgufFile& file, std::string architecture, ModelProblems& problems)
      : file_(file), prefix_(std::move(architecture) + "."), problems_(problems) {}

  /// One number, or a list of equal ones: some files have one a layer.
  std::optional<std::int64_t> integer(const char* name) const {
    const auto found = file_.metadata().find(prefix_ + name);
    if (found == file_.metadata().end() || found->second.type != GgufType::Array)
      return file_.integer(prefix_ + name);
    const auto list = *file_.integers(prefix_ + name);
    if (list.empty() || std::any_of(list.begin(), list.end(), [&](auto n) { return n != list[0]; }))
      problems_.add("{} differs from layer to layer, expected one number", shown(name));
    return list.empty() ? 0 : list[0];
  }

  void needed(const char* name, std::int64_t& out) const {
    if (const auto value = integer(name))
      out = *value;
    else
      problems_.add("{} is missing, expected a whole number", shown(name));
  }

  void number(const char* name, double& out) const {
    if (const auto value = file_.number(prefix_ + name)) out = *value;
  }

  /// Refused unless absent or this.
  void only(const char* name, std::int64_t wanted, std::string_view why) const {
    if (const auto value = integer(name); value && *value != wanted)
      problems_.add("{} is {}, expected {}: {}", shown(name), *value, wanted, why);
  }

  void refuse_unknown() const {
    for (auto at = file_.metadata().lower_bound(prefix_);
         at != file_.metadata().end() && at->first.starts_with(prefix_); ++at) {
      const auto name = std::string_view(at->first).substr(prefix_.size());
      if (std::find(kKnownSettings.begin(), kKnownSettings.end(), name) == kKnownSettings.end())
        problems_.add("{} is not known: it may change what the model computes",
                      gguf_shown(at->first));
    }
  }

  std::optional<std::string_view> text(const char* name) const {
    return file_.text(prefix_ + name);
  }
  std::string shown(const char* name) const { return gguf_shown(prefix_ + name); }

 private:
  const GgufFile& file_;
  std::string prefix_;
  ModelProblems& problems_;
};

void read_sizes(const GgufFile& file, const Settings& in, ModelProblems& problems, ModelConfig& c) {
  in.needed("embedding_length", c.hidden_size);
  in.needed("block_count", c.num_hidden_layers);
  in.needed("attention.head_count", c.num_attention_heads);
  in.needed("feed_forward_length", c.intermediate_size);
  in.needed("context_length", c.max_position_embeddings);
  c.num_key_value_heads = in.integer("attention.head_count_kv").value_or(c.num_attention_heads);
  if (c.num_attention_heads > 0) c.head_dim = c.hidden_size / c.num_attention_heads;
  c.head_dim = in.integer("attention.key_length").value_or(c.head_dim);
  in.only("attention.value_length", c.head_dim, "keys and values have one width");
  in.number("attention.layer_norm_rms_epsilon", c.rms_norm_eps);
  in.number("rope.freq_base", c.rope_theta);
  const auto* embedding = file.find("token_embd.weight");
  if (embedding == nullptr) return problems.add("tensor \"token_embd.weight\" is missing");
  c.vocab_size = embedding->shape[0];
  in.only("vocab_size", c.vocab_size, "rows of the embedding");
}

/// What would change the numbers and is not done.
void refuse_others(const Settings& in, ModelProblems& problems, const ModelConfig& c) {
  in.only("rope.dimension_count", c.head_dim, "a partial rotary embedding is not imported");
  in.only("expert_count", 0, "mixtures of experts are not imported");
  in.only("attention.sliding_window", 0, "sliding windows are not imported");
  if (const auto type = in.text("rope.scaling.type"); type && *type != "none")
    problems.add("{} is {}, expected \"none\": a scaled rotary embedding is not imported",
                 in.shown("rope.scaling.type"), gguf_shown(*type));
  in.refuse_unknown();
}

/// Llama 3.1 and later have what their frequencies are divided by in a tensor.
void read_rope(const GgufFile& file, const Settings& in, ModelProblems& problems, ModelConfig& c) {
  const auto* tensor = file.find(kGgufRopeTensor);
  if (tensor == nullptr) return;
  std::optional<RopeScaling> scaling;
  if (tensor->size == c.head_dim / 2) {
    std::vector<float> divisors(static_cast<std::size_t>(tensor->size));
    file.read(kGgufRopeTensor, divisors);
    scaling = gguf_rope_scaling(c, divisors, in.integer("rope.scaling.original_context_length"));
  }
  if (!scaling)
    return problems.add(
        "\"{}\" holds no {} divisors of Llama 3.1's formula: another scaled rotary embedding is "
        "not imported",
        kGgufRopeTensor, c.head_dim / 2);
  c.rope_scaling = *scaling;
}

/// The ids that end a text: of a whole one (eos), of a turn (eot) and of a message (eom).
void read_ids(const GgufFile& file, ModelConfig& c) {
  c.bos_token_id = file.integer("tokenizer.ggml.bos_token_id");
  c.pad_token_id = file.integer("tokenizer.ggml.padding_token_id");
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                          "tokenizer.ggml.eom_token_id"}) {
    const auto id = file.integer(key);
    if (id &&
        std::find(c.eos_token_ids.begin(), c.eos_token_ids.end(), *id) == c.eos_token_ids.end())
      c.eos_token_ids.push_back(*id);
  }
}

}  // namespace

ModelConfig gguf_model_config(const GgufFile& file) {
  const auto where = file.path().string();
  const auto architecture = file.text("general.architecture");
  if (!architecture) fail("{}: \"general.architecture\" is missing, expected \"llama\"", where);
  if (*architecture != "llama")
    fail("{}: architecture {} is not imported, expected \"llama\"", where,
         gguf_shown(*architecture));
  ModelConfig config;
  config.model_type = *architecture;
  ModelProblems problems(where);
  const Settings in(file, config.model_type, problems);
  read_sizes(file, in, problems, config);
  refuse_others(in, problems, config);
  read_rope(file, in, problems, config);
  problems.raise();
  read_ids(file, config);
  config.tie_word_embeddings = file.find("output.weight") == nullptr;
  validate_model_config(config, where);
  return config;
}

}  // namespace aha
