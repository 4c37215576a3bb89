#include "trainer/model/model_config.h"

namespace aha {
namespace {

OrderedJson id_json(const std::optional<std::int64_t>& id) {
  return id ? OrderedJson(*id) : OrderedJson(nullptr);
}

OrderedJson ids_json(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return nullptr;
  return ids.size() == 1 ? OrderedJson(ids[0]) : OrderedJson(ids);
}

/// What only some families have, and the keys whose absence would mean something else there.
void add_family_keys(const ModelConfig& c, OrderedJson& json) {
  if (c.model_type == "llama") {
    json["attention_bias"] = false;
    json["mlp_bias"] = false;
  } else if (c.model_type == "qwen2" || c.model_type == "qwen3") {
    if (c.model_type == "qwen3") json["attention_bias"] = false;
    json["use_sliding_window"] = false;
  } else {
    json["sliding_window"] = id_json(c.sliding_window);
  }
  if (c.model_type == "phi3") {
    json["attention_bias"] = false;
    json["resid_pdrop"] = 0.0;
    json["embd_pdrop"] = 0.0;
    json["partial_rotary_factor"] = c.partial_rotary_factor;
    if (c.rope_scaling.kind == RopeScaling::Kind::LongRope)
      json["original_max_position_embeddings"] = c.rope_scaling.original_positions;
  }
}

/// The keys of a scaling besides theta; empty for the default.
OrderedJson scaling_json(const ModelConfig& c) {
  const RopeScaling& s = c.rope_scaling;
  OrderedJson json;
  if (s.factor) json["factor"] = *s.factor;
  if (s.kind == RopeScaling::Kind::Llama3) {
    json["low_freq_factor"] = s.low_freq_factor;
    json["high_freq_factor"] = s.high_freq_factor;
  }
  if (s.kind == RopeScaling::Kind::LongRope) {
    json["short_factor"] = s.short_factor;
    json["long_factor"] = s.long_factor;
    if (s.attention_factor) json["attention_factor"] = *s.attention_factor;
  }
  if (s.original_positions > 0) json["original_max_position_embeddings"] = s.original_positions;
  return json;
}

/// transformers 4 reads rope_theta and rope_scaling, 5 rope_parameters.
void add_rope(const ModelConfig& c, OrderedJson& json) {
  json["rope_theta"] = c.rope_theta;
  OrderedJson parameters{{"rope_theta", c.rope_theta}};
  if (c.model_type == "phi3") parameters["partial_rotary_factor"] = c.partial_rotary_factor;
  parameters["rope_type"] = rope_type_name(c.rope_scaling.kind);
  const auto scaling = scaling_json(c);
  if (!scaling.empty()) {
    parameters.update(scaling);
    json["rope_scaling"] = {{"rope_type", rope_type_name(c.rope_scaling.kind)}};
    json["rope_scaling"].update(scaling);
  }
  json["rope_parameters"] = parameters;
}

}  // namespace

OrderedJson to_json(const ModelConfig& c) {
  OrderedJson json;
  json["architectures"] = OrderedJson::array({c.family().architecture});
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
  add_family_keys(c, json);
  json["attention_dropout"] = 0.0;
  add_rope(c, json);
  json["bos_token_id"] = id_json(c.bos_token_id);
  json["eos_token_id"] = ids_json(c.eos_token_ids);
  json["pad_token_id"] = id_json(c.pad_token_id);
  json["torch_dtype"] = c.dtype;
  json["dtype"] = c.dtype;
  return json;
}

Json generation_config_json(const ModelConfig& c) {
  Json json = c.generation;
  json["bos_token_id"] = id_json(c.bos_token_id);
  json["eos_token_id"] = ids_json(c.eos_token_ids);
  json["pad_token_id"] = id_json(c.pad_token_id);
  return json;
}

}  // namespace aha
