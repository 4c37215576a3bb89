#include "scripts/bench/gpu/floors.h"

#include <algorithm>
#include <numeric>

#include "scripts/bench/gpu/nv256.h"
#include "trainer/core/error.h"

namespace aha_bench {
namespace {

constexpr double kBytes = 2;

/// In all products of a row whose next token is wanted.
double weights_of(const aha::ModelSize& model) {
  return static_cast<double>(model.layers * model.block_weights + model.head_weights);
}

std::int64_t sum(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

}  // namespace

std::int64_t Load::prompt_tokens() const {
  return sum(prompts);
}

std::int64_t Load::output_tokens() const {
  return sum(outputs);
}

double decode_floor(const aha::ModelSize& model, const Peaks& peaks, std::int64_t rows,
                    std::int64_t positions) {
  const double weights = weights_of(model);
  return std::max(kBytes * weights / peaks.bytes_per_s,
                  2 * weights * static_cast<double>(rows) / peaks.flop_per_s) +
         kBytes * static_cast<double>(model.kv_elements * positions) / peaks.bytes_per_s;
}

double rollout_floor(const aha::ModelSize& model, const Peaks& peaks, const Load& load) {
  const double blocks = static_cast<double>(model.layers * model.block_weights);
  double seconds = 2 * blocks * static_cast<double>(load.prompt_tokens()) / peaks.flop_per_s;
  const std::size_t samples = load.outputs.size() / load.prompts.size();
  const std::int64_t longest = *std::max_element(load.outputs.begin(), load.outputs.end());
  for (std::int64_t step = 1; step < longest; ++step) {  // a prompt's last row draws the first
    std::int64_t rows = 0;
    std::int64_t positions = 0;
    for (std::size_t i = 0; i < load.outputs.size(); ++i) {
      if (load.outputs[i] <= step) continue;
      ++rows;
      positions += load.prompts[i / samples] + step;
    }
    seconds += decode_floor(model, peaks, rows, positions);
  }
  return seconds;
}

double train_floor(const aha::ModelSize& model, const Peaks& peaks, std::int64_t rows,
                   std::int64_t tokens) {
  const double elements =
      static_cast<double>(model.layers * model.block_weights) * static_cast<double>(rows) +
      static_cast<double>(model.head_weights) * static_cast<double>(tokens);
  return 6 * elements / peaks.flop_per_s;
}

aha::ModelConfig shape_named(std::string_view name) {
  aha::ModelConfig config;
  config.max_position_embeddings = 4096;
  config.tie_word_embeddings = true;
  const auto shape = [&](std::int64_t C, std::int64_t F, std::int64_t L, std::int64_t H,
                         std::int64_t Hk, std::int64_t D, std::int64_t V) {
    config.hidden_size = C;
    config.intermediate_size = F;
    config.num_hidden_layers = L;
    config.num_attention_heads = H;
    config.num_key_value_heads = Hk;
    config.head_dim = D;
    config.vocab_size = V;
  };
  config.model_type = "qwen2";
  if (name == "0.5b") {
    shape(896, 4864, 24, 14, 2, 64, 151'936);
  } else if (name == "1.5b") {
    shape(1536, 8960, 28, 12, 2, 128, 151'936);
  } else if (name == "0.6b") {
    config.model_type = "qwen3";
    shape(1024, 3072, 28, 16, 8, 128, 151'936);
  } else if (name == "tiny") {
    shape(64, 128, 2, 4, 2, 16, 512);
  } else {
    aha::fail("bench_gpu: '{}' is no shape, expected 0.5b, 1.5b, 0.6b or tiny", name);
  }
  return config;
}

Load nv256(std::int64_t divisor) {
  Load load;
  for (const auto length : kNv256Prompts)
    load.prompts.push_back(std::max<std::int64_t>(1, length / divisor));
  for (const auto length : kNv256Outputs)
    load.outputs.push_back(std::max<std::int64_t>(1, length / divisor));
  return load;
}

}  // namespace aha_bench
