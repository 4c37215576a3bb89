#include "trainer/model/model_config.h"

#include "trainer/core/error.h"
#include "trainer/model/problems.h"

namespace aha {
namespace {

// Bounds far beyond any model; with them no product of sizes overflows 64 bits.
constexpr std::int64_t kMaxRows = std::int64_t{1} << 24;  // vocabulary, feed-forward width
constexpr std::int64_t kMaxWidth = std::int64_t{1} << 20;
constexpr std::int64_t kMaxLayers = 4096;
constexpr std::int64_t kMaxHeads = 4096;
constexpr std::int64_t kMaxHeadDim = 4096;
constexpr std::int64_t kMaxPositions = std::int64_t{1} << 22;

void check_sizes(const ModelConfig& c, Problems& problems) {
  const auto in_range = [&](const char* key, std::int64_t value, std::int64_t high) {
    if (value < 1 || value > high)
      problems.add("'{}' is {}, expected an integer in [1, {}]", key, value, high);
  };
  in_range("vocab_size", c.vocab_size, kMaxRows);
  in_range("hidden_size", c.hidden_size, kMaxWidth);
  in_range("num_hidden_layers", c.num_hidden_layers, kMaxLayers);
  in_range("num_attention_heads", c.num_attention_heads, kMaxHeads);
  in_range("num_key_value_heads", c.num_key_value_heads, kMaxHeads);
  in_range("intermediate_size", c.intermediate_size, kMaxRows);
  in_range("max_position_embeddings", c.max_position_embeddings, kMaxPositions);
  if (!problems.none()) return;
  if (c.hidden_size % c.num_attention_heads != 0)
    problems.add("'num_attention_heads' is {}, expected a divisor of 'hidden_size' {}",
                 c.num_attention_heads, c.hidden_size);
  if (c.num_attention_heads % c.num_key_value_heads != 0)
    problems.add("'num_key_value_heads' is {}, expected a divisor of 'num_attention_heads' {}",
                 c.num_key_value_heads, c.num_attention_heads);
  if (!problems.none()) return;  // head_dim may be made of those
  in_range("head_dim", c.head_dim, kMaxHeadDim);
  if (c.head_dim % 2 != 0)
    problems.add("'head_dim' is {}, expected an even number (rotary embedding turns pairs)",
                 c.head_dim);
}

void check_numbers(const ModelConfig& c, Problems& problems) {
  const auto in_range = [&](const char* key, double value, double low, double high) {
    if (!(value >= low && value <= high))
      problems.add("'{}' is {}, expected a number in [{}, {}]", key, value, low, high);
  };
  in_range("rope_theta", c.rope_theta, 1.0, 1e12);
  in_range("rms_norm_eps", c.rms_norm_eps, 1e-12, 0.1);
  in_range("initializer_range", c.initializer_range, 0.0, 1.0);
  const auto id = [&](const char* key, std::int64_t value) {
    if (value < 0 || value >= c.vocab_size)
      problems.add("'{}' is {}, expected an id in [0, {})", key, value, c.vocab_size);
  };
  if (c.vocab_size < 1) return;
  if (c.bos_token_id) id("bos_token_id", *c.bos_token_id);
  if (c.pad_token_id) id("pad_token_id", *c.pad_token_id);
  for (const auto eos : c.eos_token_ids)
    id("eos_token_id", eos);
}

OrderedJson id_json(const std::optional<std::int64_t>& id) {
  return id ? OrderedJson(*id) : OrderedJson(nullptr);
}

OrderedJson ids_json(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? OrderedJson(ids[0]) : OrderedJson(ids);
}

}  // namespace

void validate_model_config(const ModelConfig& config, std::string_view where) {
  Problems problems{std::string(where)};
  check_sizes(config, problems);
  check_numbers(config, problems);
  problems.raise();
}

OrderedJson to_json(const ModelConfig& c) {
  OrderedJson json;
  json["architectures"] = OrderedJson::array({"LlamaForCausalLM"});
  json["model_type"] = c.model_type;
  json["vocab_size"] = c.vocab_size;
  json["hidden_size"] = c.hidden_size;
  json["intermediate_size"] = c.intermediate_size;
  json["num_hidden_layers"] = c.num_hidden_layers;
  json["num_attention_heads"] = c.num_attention_heads;
  json["num_key_value_heads"] = c.num_key_value_heads;
  json["head_dim"] = c.head_dim;
  json["hidden_act"] = "silu";
  json["max_position_embeddings"] = c.max_position_embeddings;
  json["initializer_range"] = c.initializer_range;
  json["rms_norm_eps"] = c.rms_norm_eps;
  json["tie_word_embeddings"] = c.tie_word_embeddings;
  json["attention_bias"] = false;
  json["mlp_bias"] = false;
  json["attention_dropout"] = 0.0;
  // transformers 4 reads the first, 5 the second
  json["rope_theta"] = c.rope_theta;
  json["rope_parameters"] = {{"rope_theta", c.rope_theta}, {"rope_type", "default"}};
  json["bos_token_id"] = id_json(c.bos_token_id);
  json["eos_token_id"] = ids_json(c.eos_token_ids);
  json["pad_token_id"] = id_json(c.pad_token_id);
  json["torch_dtype"] = c.dtype;
  json["dtype"] = c.dtype;
  return json;
}

OrderedJson generation_config_json(const ModelConfig& c) {
  OrderedJson json;
  json["bos_token_id"] = id_json(c.bos_token_id);
  json["eos_token_id"] = ids_json(c.eos_token_ids);
  json["pad_token_id"] = id_json(c.pad_token_id);
  return json;
}

void check_vocabulary(std::int64_t tokenizer_size, const ModelConfig& config,
                      std::string_view tokenizer, std::string_view model) {
  if (tokenizer_size > config.vocab_size)
    fail("{}: the tokenizer has {} ids, but {} has 'vocab_size' {}: expected at least as many",
         tokenizer, tokenizer_size, model, config.vocab_size);
}

}  // namespace aha
