#pragma once
// What a machine could do at the most: work and bytes of a model's decoding and training over the rates that the
// machine was measured at. Weights, keys and values count 2 bytes an element.
#include <cstdint>
#include <string_view>
#include <vector>

#include "trainer/model/model_size.h"

namespace aha_bench {

/// As measured in the same run.
struct Peaks {
  double bytes_per_s = 0;  ///< read and written by a large copy
  double flop_per_s = 0;   ///< of a large product in the weights' type
};

/// Sequences that are sampled together: prompt and completion tokens of each. Prompts of a group count once.
struct Load {
  std::vector<std::int64_t> prompts;  ///< [P]
  std::vector<std::int64_t> outputs;  ///< [N], N a multiple of P: those of a prompt stand together

  std::int64_t prompt_tokens() const;
  std::int64_t output_tokens() const;
};

/// Seconds of a decode step of `rows` rows that look at `positions` positions in all: weights are read once or
/// multiplied, whichever takes longer, keys and values are read.
double decode_floor(const aha::ModelSize& model, const Peaks& peaks, std::int64_t rows,
                    std::int64_t positions);

/// Seconds of sampling all of them at once: prompts through the blocks, then steps of the rows that are left.
double rollout_floor(const aha::ModelSize& model, const Peaks& peaks, const Load& load);

/// Seconds of training `rows` rows of which `tokens` are predicted: 6 FLOP a weight of the blocks and a row, of the
/// head and a token.
double train_floor(const aha::ModelSize& model, const Peaks& peaks, std::int64_t rows,
                   std::int64_t tokens);

/// A published shape with random weights: "0.5b" and "1.5b" (Qwen2.5), "0.6b" (Qwen3), "tiny" for trials.
/// UserError for another name.
aha::ModelConfig shape_named(std::string_view name);

/// nano-vllm's 256 sequences, their lengths divided by `divisor`.
Load nv256(std::int64_t divisor = 1);

}  // namespace aha_bench
