#include <array>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/config_reader.h"
#include "trainer/model/model_config.h"
#include "trainer/model/rope_read.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::array kIdKeys = {"bos_token_id", "eos_token_id", "pad_token_id"};

void read_ids(const ConfigReader& in, ModelConfig& c) {
  const auto one = [&](const char* key, std::optional<std::int64_t>& out) {
    const auto* value = in.find(key);
    if (value == nullptr) return;
    if (!ConfigReader::is_integer(*value)) return in.wrong(key, "an integer");
    out = value->get<std::int64_t>();
    if (*out == -1) out.reset();  // early Llama files say "none" so
  };
  one("bos_token_id", c.bos_token_id);
  one("pad_token_id", c.pad_token_id);
  const auto* eos = in.find("eos_token_id");
  if (eos == nullptr) return;
  std::vector<std::int64_t> ids;
  for (const auto& id : eos->is_array() ? *eos : Json::array({*eos})) {
    if (!ConfigReader::is_integer(id))
      return in.wrong("eos_token_id", "an integer or a list of integers");
    ids.push_back(id.get<std::int64_t>());
  }
  c.eos_token_ids = std::move(ids);
}

void refuse_other_models(const ConfigReader& in, const Family& family) {
  if (const auto* names = in.find("architectures"))
    if (!names->is_array() || names->size() != 1 || (*names)[0] != family.architecture)
      in.wrong("architectures", fmt::format("[\"{}\"]", family.architecture));
  in.only("hidden_act", "silu");
  in.only("attention_bias", family.qkv_bias);
  for (const char* key : {"mlp_bias", "lm_head_bias"})
    in.only(key, false);
  for (const char* key : {"attention_dropout", "resid_pdrop", "embd_pdrop"})
    in.only(key, 0.0);
  in.only("use_sliding_window", false);
  in.only("is_causal", true);
  in.absent("text_config", "a model of text and more is not built");
  in.absent("quantization_config", "quantised weights are not read");
  for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts",
                          "num_experts_per_tok", "moe_intermediate_size"})
    in.absent(key, "mixtures of experts are not built");
}

/// The family that the file names; a UserError when it is none of ours.
Family read_family(const ConfigReader& in, const std::string& path) {
  std::string known;
  for (const auto& family : families())
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", family.model_type);
  const auto* type = in.find("model_type");
  if (type == nullptr) fail("{}: 'model_type' is missing, expected one of {}", path, known);
  const auto* family =
      type->is_string() ? find_family(type->get_ref<const std::string&>()) : nullptr;
  if (family == nullptr)
    fail("{}: 'model_type' is {}, expected one of {}", path, shown(*type), known);
  return *family;
}

/// What the family's config class in transformers 5 says where a file says nothing.
ModelConfig defaults_of(const Family& family) {
  ModelConfig c;
  c.model_type = family.model_type;
  if (c.model_type == "qwen2" || c.model_type == "qwen3") c.max_position_embeddings = 32768;
  if (c.model_type == "mistral") c.max_position_embeddings = 131072;
  if (c.model_type == "phi3") {
    c.max_position_embeddings = 4096;
    c.rms_norm_eps = 1e-5;
  }
  return c;
}

void read_layer_types(const ConfigReader& in, const ModelConfig& c) {
  const auto* types = in.find("layer_types");
  if (types == nullptr) return;
  if (!types->is_array() || static_cast<std::int64_t>(types->size()) != c.num_hidden_layers)
    return in.wrong("layer_types", "a list with one entry per hidden layer");
  for (const auto& type : *types)
    if (type != "full_attention")
      return in.wrong("layer_types", "\"full_attention\" for every layer");
}

/// Only mistral and phi3 look at the key as it stands; in mistral its absence is 4096.
void read_sliding_window(const ConfigReader& in, ModelConfig& c) {
  const bool looks = c.model_type == "mistral" || c.model_type == "phi3";
  if (looks && in.has("sliding_window")) {
    std::int64_t window = 0;
    in.integer("sliding_window", window);
    c.sliding_window = window;
  } else if (c.model_type == "mistral" && !in.mentions("sliding_window")) {
    c.sliding_window = 4096;
  } else if (c.model_type == "llama" && !in.has("use_sliding_window")) {
    in.absent("sliding_window", "llama has none");
  }
}

void read_dtype(const ConfigReader& in, ModelConfig& c) {
  for (const char* key : {"torch_dtype", "dtype"}) {
    const auto* value = in.find(key);
    if (value == nullptr) continue;
    if (*value == "float32" || *value == "bfloat16" || *value == "float16")
      c.dtype = value->get<std::string>();
    else
      in.wrong(key, "\"float32\", \"bfloat16\" or \"float16\"");
  }
}

void read_sizes(const ConfigReader& in, ModelConfig& c) {
  in.needed("vocab_size", c.vocab_size);
  in.needed("hidden_size", c.hidden_size);
  in.needed("num_hidden_layers", c.num_hidden_layers);
  in.needed("num_attention_heads", c.num_attention_heads);
  in.needed("intermediate_size", c.intermediate_size);
  // absent and null differ: a null is the number of heads everywhere
  c.num_key_value_heads = c.num_attention_heads;
  if (!in.mentions("num_key_value_heads")) {
    if (c.family().qkv_bias || c.family().qk_norm) c.num_key_value_heads = 32;
    if (c.model_type == "mistral") c.num_key_value_heads = 8;
  }
  in.integer("num_key_value_heads", c.num_key_value_heads);
  if (c.num_attention_heads > 0) c.head_dim = c.hidden_size / c.num_attention_heads;
  if (c.model_type == "qwen3" && !in.mentions("head_dim")) c.head_dim = 128;
  in.integer("head_dim", c.head_dim);
  in.integer("max_position_embeddings", c.max_position_embeddings);
  in.number("rms_norm_eps", c.rms_norm_eps);
  in.number("initializer_range", c.initializer_range);
  in.boolean("tie_word_embeddings", c.tie_word_embeddings);
}

void read_generation(const fs::path& path, ModelConfig& config) {
  config.generation = read_json(path);
  if (!config.generation.is_object())
    fail("{}: is not a JSON object, expected generation settings", path.string());
  ModelProblems problems(path.string());
  read_ids(ConfigReader(config.generation, problems), config);
  problems.raise();
  validate_model_config(config, path.string());
  for (const char* id : kIdKeys)
    config.generation.erase(id);
}

}  // namespace

ModelConfig read_model_config(const fs::path& folder) {
  const auto path = folder / "config.json";
  const auto json = read_json(path);
  if (!json.is_object())
    fail("{}: is not a JSON object, expected a model's settings", path.string());

  ModelProblems problems(path.string());
  const ConfigReader in(json, problems);
  const Family family = read_family(in, path.string());
  refuse_other_models(in, family);
  // sizes of a model of another kind would only add noise
  problems.raise();
  ModelConfig config = defaults_of(family);
  read_sizes(in, config);
  read_rope(in, problems, config);
  read_sliding_window(in, config);
  read_layer_types(in, config);
  read_dtype(in, config);
  read_ids(in, config);
  problems.raise();
  validate_model_config(config, path.string());
  const auto generation_path = folder / "generation_config.json";
  if (fs::exists(generation_path)) read_generation(generation_path, config);
  return config;
}

}  // namespace aha
