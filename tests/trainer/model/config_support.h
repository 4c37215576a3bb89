#pragma once
#include <string>

#include "tests/support/temp_folder.h"
#include "tests/trainer/model/support.h"
#include "trainer/core/json.h"
#include "trainer/model/model_config.h"

namespace aha_test {

/// What transformers 4 wrote for SmolLM2-135M, but for its size.
inline const char* const kVersion4 = R"({
  "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": false,
  "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 0, "hidden_act": "silu",
  "hidden_size": 36, "initializer_range": 0.041666666666666664, "intermediate_size": 96,
  "is_llama_config": true, "max_position_embeddings": 8192, "mlp_bias": false,
  "num_attention_heads": 9, "num_hidden_layers": 3, "num_key_value_heads": 3, "pretraining_tp": 1,
  "rms_norm_eps": 1e-05, "rope_interleaved": false, "rope_scaling": null, "rope_theta": 100000,
  "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.40.1",
  "use_cache": true, "vocab_size": 100})";

/// kVersion4 with some keys replaced or added.
inline std::string patched(const char* patch) {
  auto json = aha::Json::parse(kVersion4);
  json.update(aha::Json::parse(patch));
  return json.dump();
}

inline aha::ModelConfig read(const TempFolder& folder, const std::string& text) {
  write_text(folder / "config.json", text);
  return aha::read_model_config(folder.path());
}

/// The error's text after "FOLDER/config.json: ".
inline std::string problem(const std::string& text) {
  const TempFolder folder;
  const auto prefix = (folder / "config.json").string() + ": ";
  auto message = error_of([&] { read(folder, text); });
  for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix))
    message.erase(at, prefix.size());
  return message;
}

/// What all files must say, of another family; then `more`.
inline std::string family_file(const char* family, const char* more = "{}") {
  aha::Json json{{"model_type", family},     {"vocab_size", 100},
                 {"hidden_size", 64},        {"intermediate_size", 96},
                 {"num_hidden_layers", 2},   {"num_attention_heads", 4},
                 {"num_key_value_heads", 2}, {"max_position_embeddings", 512}};
  json.update(aha::Json::parse(more));
  return json.dump();
}

/// Phi-4-mini's dialect: everything but the type's name at the top.
inline const char* const kLongRope =
    R"({"partial_rotary_factor": 0.75, "original_max_position_embeddings": 128,
  "rope_theta": 10000.0, "sliding_window": 262144, "lm_head_bias": false, "attention_bias": false,
  "resid_pdrop": 0.0, "embd_pdrop": 0.0, "auto_map": {"AutoConfig": "x"}, "full_attn_mod": 1,
  "rope_scaling": {"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1], "long_factor": [1, 2, 2, 3, 3, 4]}})";

}  // namespace aha_test
