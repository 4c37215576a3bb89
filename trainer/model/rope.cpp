#include "trainer/model/rope.h"

#include <cmath>
#include <numbers>

namespace aha {
namespace {

double llama3(double frequency, const RopeScaling& s) {
  const double turns =
      static_cast<double>(s.original_positions) * frequency / (2 * std::numbers::pi);
  if (turns > s.high_freq_factor) return frequency;
  if (turns < s.low_freq_factor) return frequency / *s.factor;
  const double smooth = (turns - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
  return (1 - smooth) * frequency / *s.factor + smooth * frequency;
}

double scaled(double frequency, std::size_t i, const ModelConfig& config) {
  const RopeScaling& s = config.rope_scaling;
  switch (s.kind) {
    case RopeScaling::Kind::None:
      return frequency;
    case RopeScaling::Kind::Linear:
      return frequency / *s.factor;
    case RopeScaling::Kind::Llama3:
      return llama3(frequency, s);
    case RopeScaling::Kind::LongRope:
      return frequency / (config.long_context ? s.long_factor : s.short_factor)[i];
  }
  return frequency;
}

}  // namespace

std::vector<float> rope_frequencies(const ModelConfig& config) {
  const auto rotary = static_cast<double>(config.rotary_dims());
  std::vector<float> out(static_cast<std::size_t>(config.rotary_dims() / 2));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double exponent = static_cast<double>(2 * i) / rotary;
    out[i] = static_cast<float>(scaled(1.0 / std::pow(config.rope_theta, exponent), i, config));
  }
  return out;
}

double rope_attention_factor(const ModelConfig& config) {
  const RopeScaling& s = config.rope_scaling;
  if (s.kind != RopeScaling::Kind::LongRope) return 1.0;
  if (s.attention_factor) return *s.attention_factor;
  const auto original = static_cast<double>(s.original_positions);
  const double factor =
      s.factor.value_or(static_cast<double>(config.max_position_embeddings) / original);
  return factor <= 1.0 ? 1.0 : std::sqrt(1.0 + std::log(factor) / std::log(original));
}

RopeTable make_rope_table(const ModelConfig& config) {
  const auto frequencies = rope_frequencies(config);
  const auto scale = static_cast<float>(rope_attention_factor(config));
  RopeTable table;
  table.cos.reserve(static_cast<std::size_t>(config.positions()) * frequencies.size());
  table.sin.reserve(table.cos.capacity());
  for (std::int64_t p = 0; p < config.positions(); ++p)
    for (const float frequency : frequencies) {
      // transformers computes angles in f32: the same rounding here
      const float angle = static_cast<float>(p) * frequency;
      table.cos.push_back(scale * static_cast<float>(std::cos(static_cast<double>(angle))));
      table.sin.push_back(scale * static_cast<float>(std::sin(static_cast<double>(angle))));
    }
  return table;
}

}  // namespace aha
