#include "trainer/model/model_config.h"

#include <algorithm>

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

void check_sizes(const ModelConfig& c, ModelProblems& problems) {
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
  // transformers refuses such a llama; the others have a head_dim of their own
  if (c.model_type == "llama" && c.hidden_size % c.num_attention_heads != 0)
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
  if (c.sliding_window) in_range("sliding_window", *c.sliding_window, kMaxPositions * 4);
}

/// [low, high] for numbers; a NaN is outside.
struct NumberCheck {
  ModelProblems& problems;

  void operator()(const char* key, double value, double low, double high) const {
    if (!(value >= low && value <= high))
      problems.add("'{}' is {}, expected a number in [{}, {}]", key, value, low, high);
  }
};

void check_long_factors(const char* key, const std::vector<double>& factors, const ModelConfig& c,
                        ModelProblems& problems) {
  if (std::ssize(factors) != c.rotary_dims() / 2)
    problems.add("'{}' has {} entries, expected {}: one for two of the {} dimensions that turn",
                 key, factors.size(), c.rotary_dims() / 2, c.rotary_dims());
  for (const double factor : factors)
    if (!(factor >= 1e-6 && factor <= 1e6))
      return problems.add("'{}' holds {}, expected numbers in [1e-6, 1e6]", key, factor);
}

void check_rope(const ModelConfig& c, ModelProblems& problems) {
  const NumberCheck in_range{problems};
  in_range("rope_theta", c.rope_theta, 1.0, 1e12);
  const bool sound = c.partial_rotary_factor > 0.0 && c.partial_rotary_factor <= 1.0;
  if (!sound || c.rotary_dims() < 2 || c.rotary_dims() % 2 != 0)
    return problems.add(
        "'partial_rotary_factor' is {}, expected an even part of the {} dimensions "
        "of a head",
        c.partial_rotary_factor, c.head_dim);
  const RopeScaling& s = c.rope_scaling;
  if (s.factor) in_range("rope_scaling.factor", *s.factor, 1.0, 1e6);
  if (s.kind == RopeScaling::Kind::Llama3) {
    in_range("rope_scaling.low_freq_factor", s.low_freq_factor, 1e-6, 1e6);
    if (!(s.high_freq_factor > s.low_freq_factor && s.high_freq_factor <= 1e6))
      problems.add("'rope_scaling.high_freq_factor' is {}, expected more than 'low_freq_factor' {}",
                   s.high_freq_factor, s.low_freq_factor);
  }
  if (s.kind == RopeScaling::Kind::LongRope) {
    check_long_factors("rope_scaling.short_factor", s.short_factor, c, problems);
    check_long_factors("rope_scaling.long_factor", s.long_factor, c, problems);
    if (s.attention_factor)
      in_range("rope_scaling.attention_factor", *s.attention_factor, 1e-6, 1e6);
  }
  const bool needs_original =
      s.kind == RopeScaling::Kind::Llama3 || s.kind == RopeScaling::Kind::LongRope;
  if (needs_original && (s.original_positions < 2 || s.original_positions > kMaxPositions))
    problems.add("'original_max_position_embeddings' is {}, expected an integer in [2, {}]",
                 s.original_positions, kMaxPositions);
}

void check_numbers(const ModelConfig& c, ModelProblems& problems) {
  const NumberCheck in_range{problems};
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

}  // namespace

std::int64_t ModelConfig::positions() const {
  auto count = max_position_embeddings;
  if (sliding_window) count = std::min(count, *sliding_window);
  if (rope_scaling.kind == RopeScaling::Kind::LongRope && !long_context)
    count = std::min(count, rope_scaling.original_positions);
  return count;
}

const Family& ModelConfig::family() const {
  const auto* family = find_family(model_type);
  if (family == nullptr) throw InternalError("a config is of a family that is built");
  return *family;
}

std::string positions_text(const ModelConfig& config) {
  const auto count = config.positions();
  std::string text = std::to_string(count) + " positions";
  if (count == config.max_position_embeddings) return text;
  if (count == config.sliding_window)
    return text + " before its 'sliding_window' hides tokens, which is not built";
  return text + " in the context of longrope's short factors";
}

void validate_model_config(const ModelConfig& config, std::string_view where) {
  ModelProblems problems{std::string(where)};
  check_sizes(config, problems);
  if (problems.none()) check_rope(config, problems);
  check_numbers(config, problems);
  problems.raise();
}

void check_vocabulary(std::int64_t tokenizer_size, const ModelConfig& config,
                      std::string_view tokenizer, std::string_view model) {
  if (tokenizer_size > config.vocab_size)
    fail("{}: the tokenizer has {} ids, but {} has 'vocab_size' {}: expected at least as many",
         tokenizer, tokenizer_size, model, config.vocab_size);
}

}  // namespace aha
