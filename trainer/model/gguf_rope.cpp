#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "trainer/model/gguf_model.h"
#include "trainer/model/rope.h"

namespace aha {
namespace {

constexpr double kRounding = 1e-5;  // of divisors that were computed in f32

double frequency(const ModelConfig& config, std::size_t i) {
  return std::pow(config.rope_theta,
                  -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim));
}

bool gives(const ModelConfig& config, std::span<const float> divisors) {
  const auto frequencies = rope_frequencies(config);
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    const double divisor = frequency(config, i) / static_cast<double>(frequencies[i]);
    if (!(std::abs(static_cast<double>(divisors[i]) - divisor) <= kRounding * divisor))
      return false;
  }
  return true;
}

/// Between the ends s = (w f / 2 pi - low) / (high - low) is a line over f: its slope and where it begins, from the
/// first and the last divisor there, leave one number free, which `low_freq_factor` or the original context gives.
std::optional<RopeScaling> fitted(const ModelConfig& config, std::span<const float> divisors,
                                  std::optional<std::int64_t> original) {
  const double factor = static_cast<double>(divisors.back());
  const auto between = [&](float g) { return g > 1 && static_cast<double>(g) < factor; };
  const auto first = std::find_if(divisors.begin(), divisors.end(), between);
  const auto last = std::find_if_not(first, divisors.end(), between);
  if (last - first < 2 || last == divisors.end()) return std::nullopt;
  const auto turns = [&](auto at) {
    return frequency(config, static_cast<std::size_t>(at - divisors.begin())) /
           (2 * std::numbers::pi);
  };
  const auto smooth = [&](auto at) {
    return (1 / static_cast<double>(*at) - 1 / factor) / (1 - 1 / factor);
  };
  const double slope = (smooth(first) - smooth(last - 1)) / (turns(first) - turns(last - 1));
  const double low_share = slope * turns(first) - smooth(first);  // low / (high - low)
  if (!(slope > 0) || !(low_share > 0)) return std::nullopt;
  constexpr double kLow = 1;  // of every published model
  const double positions = original ? static_cast<double>(*original) : slope * kLow / low_share;
  if (!(positions >= 1 && positions < 1e9)) return std::nullopt;
  const auto rounded = [](double value) { return std::round(1000 * value) / 1000; };
  RopeScaling scaling;
  scaling.kind = RopeScaling::Kind::Llama3;
  scaling.factor = factor;
  scaling.low_freq_factor = rounded(low_share * positions / slope);
  scaling.high_freq_factor = rounded((1 + low_share) * positions / slope);
  scaling.original_positions = std::llround(positions);
  return scaling;
}

}  // namespace

std::optional<RopeScaling> gguf_rope_scaling(ModelConfig config, std::span<const float> divisors,
                                             std::optional<std::int64_t> original) {
  if (std::ssize(divisors) != config.head_dim / 2 || divisors.empty()) return std::nullopt;
  config.rope_scaling = {};
  if (gives(config, divisors)) return config.rope_scaling;
  const auto scaling = fitted(config, divisors, original);
  if (!scaling || !(scaling->high_freq_factor > scaling->low_freq_factor)) return std::nullopt;
  config.rope_scaling = *scaling;
  return gives(config, divisors) ? scaling : std::nullopt;
}

}  // namespace aha
