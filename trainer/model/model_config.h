#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/model/family.h"

namespace aha {

/// How rotary frequencies are stretched beyond the context of pretraining; rope.h has the formulas.
struct RopeScaling {
  enum class Kind { None, Linear, Llama3, LongRope };
  Kind kind = Kind::None;
  std::optional<double> factor;                   ///< at least 1; optional for longrope alone
  double low_freq_factor = 0;                     ///< llama3
  double high_freq_factor = 0;                    ///< llama3, above low_freq_factor
  std::int64_t original_positions = 0;            ///< llama3, longrope: context of pretraining
  std::vector<double> short_factor, long_factor;  ///< longrope, [rotary_dims / 2]
  std::optional<double> attention_factor;         ///< longrope

  bool operator==(const RopeScaling&) const = default;
};

/// "default", "linear", "llama3" or "longrope".
std::string_view rope_type_name(RopeScaling::Kind kind);

/// Shape and constants of a decoder, under the names of a Hugging Face config.json.
struct ModelConfig {
  std::string model_type = "llama";    ///< one of families()
  std::int64_t vocab_size = 0;         ///< V, rows of the embedding; may exceed the tokenizer's ids
  std::int64_t hidden_size = 0;        ///< C
  std::int64_t num_hidden_layers = 0;  ///< L
  std::int64_t num_attention_heads = 0;  ///< H
  std::int64_t num_key_value_heads = 0;  ///< K, divides H
  std::int64_t head_dim = 0;             ///< D, even; H * D may differ from C
  std::int64_t intermediate_size = 0;    ///< F
  std::int64_t max_position_embeddings = 2048;
  double rope_theta = 10000.0;
  double partial_rotary_factor = 1.0;  ///< phi3: share of a head's dimensions that turns
  RopeScaling rope_scaling;
  /// Use of longrope's long factors, for every position of every sequence. A choice of the run and
  /// not of the folder: a sequence's own length would make its first tokens other ones in rollout,
  /// where it is still short, than in training.
  bool long_context = false;
  std::optional<std::int64_t> sliding_window;  ///< mistral, phi3: tokens that a token may look at
  double rms_norm_eps = 1e-6;
  double initializer_range = 0.02;
  bool tie_word_embeddings = false;  ///< lm_head is the embedding
  std::optional<std::int64_t> bos_token_id;
  std::vector<std::int64_t>
      eos_token_ids;  ///< any of them ends a completion; generation_config.json's when it has them
  std::optional<std::int64_t> pad_token_id;
  std::string dtype = "float32";  ///< of the stored weights: float32, bfloat16, float16
  /// generation_config.json besides the three ids: nothing here reads it, a saved folder has it again.
  Json generation = Json::object();

  /// R, dimensions of a head that turn: the first ones.
  std::int64_t rotary_dims() const {
    return static_cast<std::int64_t>(static_cast<double>(head_dim) * partial_rotary_factor);
  }
  /// Positions that a sequence may have: fewer than max_position_embeddings where a sliding window
  /// would begin to hide tokens, or where longrope's short factors end.
  std::int64_t positions() const;
  /// InternalError when the model_type is none of ours.
  const Family& family() const;

  bool operator==(const ModelConfig&) const = default;
};

/// "64 positions", with the reason where they are fewer than max_position_embeddings.
std::string positions_text(const ModelConfig& config);

/// Reads FOLDER/config.json in the dialects of transformers 4 and 5 (`torch_dtype` or `dtype`;
/// `rope_theta` with `rope_scaling`, or `rope_parameters`; `type` or `rope_type`; `head_dim` absent
/// or null; one end id or a list) and lets FOLDER/generation_config.json, where it exists, override
/// bos, eos and pad ids; its other keys are kept in `generation`.
///
/// Whatever the file asks for that this decoder does not do is an error, never ignored: another
/// model_type, rope_type or activation, biases elsewhere than the family has them, experts,
/// quantised weights. A sliding window bounds `positions`. Keys that are absent have the values that
/// transformers gives them in that family.
/// UserError with one line per problem: "FILE: 'key' is value, expected ...".
ModelConfig read_model_config(const std::filesystem::path& folder);

/// Throws UserError, one line per problem, when a value is out of range or two contradict each
/// other. `where` begins each line: a file, or "model.init".
void validate_model_config(const ModelConfig& config, std::string_view where);

/// The config.json that transformers 4 and 5 load as the family's class.
OrderedJson to_json(const ModelConfig& config);

/// The generation_config.json beside it: `generation` with bos, eos and pad ids.
Json generation_config_json(const ModelConfig& config);

/// UserError unless every id of a tokenizer with `tokenizer_size` ids has a row in the embedding.
/// More rows than ids is normal (padded vocabularies). `tokenizer` and `model` say where each is
/// from.
void check_vocabulary(std::int64_t tokenizer_size, const ModelConfig& config,
                      std::string_view tokenizer, std::string_view model);

}  // namespace aha
