#include <limits>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/model/model_config.h"
#include "trainer/model/problems.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

std::string shown(const Json& value) {
  constexpr std::size_t kLimit = 80;
  auto text = dump_line(value);
  if (text.size() > kLimit) text = text.substr(0, kLimit) + "...";
  return text;
}

/// Typed reading of one JSON object; a null is the same as an absent key.
class Reader {
 public:
  Reader(const Json& object, Problems& problems, std::string path = "")
      : object_(object), problems_(problems), path_(std::move(path)) {}

  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  bool has(const char* key) const { return find(key) != nullptr; }

  void integer(const char* key, std::int64_t& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (is_integer(*value))
      out = value->get<std::int64_t>();
    else
      wrong(key, "an integer");
  }

  void needed(const char* key, std::int64_t& out) const {
    if (has(key))
      integer(key, out);
    else
      problems_.add("'{}{}' is missing, expected an integer", path_, key);
  }

  void number(const char* key, double& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (value->is_number())
      out = value->get<double>();
    else
      wrong(key, "a number");
  }

  void boolean(const char* key, bool& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (value->is_boolean())
      out = value->get<bool>();
    else
      wrong(key, "true or false");
  }

  /// The key, when it is there, must hold exactly this.
  void only(const char* key, const Json& wanted) const {
    if (has(key) && *find(key) != wanted) wrong(key, shown(wanted));
  }

  void absent(const char* key, std::string_view why) const {
    if (has(key)) wrong(key, fmt::format("nothing: {}", why));
  }

  void wrong(const char* key, std::string_view wanted) const {
    problems_.add("'{}{}' is {}, expected {}", path_, key, shown(*find(key)), wanted);
  }

  static bool is_integer(const Json& value) {
    if (value.is_number_unsigned())
      return value.get<std::uint64_t>() <=
             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value.is_number_integer();
  }

 private:
  const Json& object_;
  Problems& problems_;
  std::string path_;
};

void read_ids(const Reader& in, ModelConfig& c) {
  const auto one = [&](const char* key, std::optional<std::int64_t>& out) {
    const auto* value = in.find(key);
    if (value == nullptr) return;
    if (!Reader::is_integer(*value)) return in.wrong(key, "an integer");
    out = value->get<std::int64_t>();
    if (*out == -1) out.reset();  // early Llama files say "none" so
  };
  one("bos_token_id", c.bos_token_id);
  one("pad_token_id", c.pad_token_id);
  const auto* eos = in.find("eos_token_id");
  if (eos == nullptr) return;
  std::vector<std::int64_t> ids;
  for (const auto& id : eos->is_array() ? *eos : Json::array({*eos})) {
    if (!Reader::is_integer(id))
      return in.wrong("eos_token_id", "an integer or a list of integers");
    ids.push_back(id.get<std::int64_t>());
  }
  c.eos_token_ids = std::move(ids);
}

/// rope_theta lies at the top (transformers 4) or in rope_parameters (5); a scaling of any kind but
/// "default" changes every angle, so it is refused.
void read_rope(const Reader& in, Problems& problems, ModelConfig& c) {
  in.number("rope_theta", c.rope_theta);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const auto* value = in.find(key);
    if (value == nullptr) continue;
    if (!value->is_object()) {
      in.wrong(key, "an object or null");
      continue;
    }
    const Reader rope(*value, problems, std::string(key) + ".");
    rope.only("rope_type", "default");
    rope.only("type", "default");
    if (rope.find("partial_rotary_factor") != nullptr) rope.only("partial_rotary_factor", 1.0);
    const double outer = c.rope_theta;
    rope.number("rope_theta", c.rope_theta);
    if (in.has("rope_theta") && rope.has("rope_theta") && outer != c.rope_theta)
      problems.add("'{}.rope_theta' is {} but 'rope_theta' is {}, expected the same", key,
                   c.rope_theta, outer);
  }
}

void refuse_other_models(const Reader& in) {
  in.only("model_type", "llama");
  if (const auto* names = in.find("architectures"))
    if (!names->is_array() || names->size() != 1 || (*names)[0] != "LlamaForCausalLM")
      in.wrong("architectures", "[\"LlamaForCausalLM\"]");
  in.only("hidden_act", "silu");
  in.only("attention_bias", false);
  in.only("mlp_bias", false);
  in.only("attention_dropout", 0.0);
  in.only("use_sliding_window", false);
  in.only("partial_rotary_factor", 1.0);
  in.absent("quantization_config", "quantised weights are not read");
  for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts",
                          "num_experts_per_tok", "moe_intermediate_size"})
    in.absent(key, "mixtures of experts are not built");
}

void read_layer_types(const Reader& in, const ModelConfig& c) {
  const auto* types = in.find("layer_types");
  if (types == nullptr) return;
  if (!types->is_array() || static_cast<std::int64_t>(types->size()) != c.num_hidden_layers)
    return in.wrong("layer_types", "a list with one entry per hidden layer");
  for (const auto& type : *types)
    if (type != "full_attention")
      return in.wrong("layer_types", "\"full_attention\" for every layer");
}

void read_dtype(const Reader& in, ModelConfig& c) {
  for (const char* key : {"torch_dtype", "dtype"}) {
    const auto* value = in.find(key);
    if (value == nullptr) continue;
    if (*value == "float32" || *value == "bfloat16" || *value == "float16")
      c.dtype = value->get<std::string>();
    else
      in.wrong(key, "\"float32\", \"bfloat16\" or \"float16\"");
  }
}

void read_sizes(const Reader& in, ModelConfig& c) {
  in.needed("vocab_size", c.vocab_size);
  in.needed("hidden_size", c.hidden_size);
  in.needed("num_hidden_layers", c.num_hidden_layers);
  in.needed("num_attention_heads", c.num_attention_heads);
  in.needed("intermediate_size", c.intermediate_size);
  c.num_key_value_heads = c.num_attention_heads;
  in.integer("num_key_value_heads", c.num_key_value_heads);
  if (c.num_attention_heads > 0) c.head_dim = c.hidden_size / c.num_attention_heads;
  in.integer("head_dim", c.head_dim);
  in.integer("max_position_embeddings", c.max_position_embeddings);
  in.number("rms_norm_eps", c.rms_norm_eps);
  in.number("initializer_range", c.initializer_range);
  in.boolean("tie_word_embeddings", c.tie_word_embeddings);
}

}  // namespace

ModelConfig read_model_config(const fs::path& folder) {
  const auto path = folder / "config.json";
  const auto json = read_json(path);
  if (!json.is_object())
    fail("{}: is not a JSON object, expected a model's settings", path.string());

  ModelConfig config;
  Problems problems(path.string());
  const Reader in(json, problems);
  if (!in.has("model_type")) problems.add("'model_type' is missing, expected \"llama\"");
  refuse_other_models(in);
  // sizes of a model of another kind would only add noise
  problems.raise();
  read_sizes(in, config);
  read_rope(in, problems, config);
  read_layer_types(in, config);
  read_dtype(in, config);
  read_ids(in, config);
  problems.raise();
  validate_model_config(config, path.string());

  const auto generation_path = folder / "generation_config.json";
  if (fs::exists(generation_path)) {
    const auto generation = read_json(generation_path);
    if (!generation.is_object())
      fail("{}: is not a JSON object, expected generation settings", generation_path.string());
    Problems generation_problems(generation_path.string());
    read_ids(Reader(generation, generation_problems), config);
    generation_problems.raise();
    validate_model_config(config, generation_path.string());
  }
  return config;
}

}  // namespace aha
