#pragma once
#include <limits>
#include <span>
#include <vector>

#include "rollout/sampling_params.h"
#include "rollout/sequence.h"
#include "trainer/model/decoder.h"

namespace aha {

/// What was drawn for one row.
struct Drawn {
  TokenId id;
  float logprob;  ///< of the untruncated distribution at the sampling temperature
  float entropy;  ///< nats
};

/// Rows in, tokens out: owns the key/value cache and per-thread scratch, and runs the decoder on them.
/// Rows are independent, so a large batch is cut into ranges of rows, each going through the whole decoder
/// on one thread without a barrier; a small one runs with the team inside each kernel.
class Runner {
 public:
  Runner(const Decoder& decoder, ParameterProvider& weights, Exec exec, std::int64_t vocabulary);

  void reserve(Index num_blocks) { cache_.reserve(num_blocks, *decoder_->ops().memory); }

  /// Rows beyond which decoding more at once is slower: the keys and values of so many sequences of
  /// `positions` positions on average about fill the caches near the cores. Every token reads them all, so
  /// a small model decodes its rows in waves. Above any batch where the weights outweigh them.
  static std::int64_t rows_in_caches(const ModelConfig& model, std::int64_t threads,
                                     std::int64_t positions);
  std::int64_t rows_in_caches(std::int64_t positions) const {
    if (!decoder_->ops().memory->host) return std::numeric_limits<std::int64_t>::max();
    return rows_in_caches(decoder_->config(), exec_.threads(), positions);
  }

  /// Computes keys and values of the prompts and their last hidden rows.
  void prefill(std::span<SharedPrompt* const> prompts, std::span<const GroupRequest> requests);

  /// Gives each completion its copy of the prompt's partly filled block.
  void copy(std::span<const KvCopy> copies);

  /// Draws the first token of sequences that have none from their prompt's hidden row.
  void first_tokens(std::span<Sequence* const> sequences, const SamplingParams& params,
                    std::span<Drawn> drawn);

  /// Runs the last token of each sequence and draws the next.
  void next_tokens(std::span<Sequence* const> sequences, const SamplingParams& params,
                   std::span<Drawn> drawn);

 private:
  void sample(const Exec& exec, const float* hidden, Scratch& scratch,
              std::span<Sequence* const> sequences, const SamplingParams& params,
              std::span<Drawn> drawn) const;
  void decode_range(const Exec& exec, Scratch& scratch, std::span<Sequence* const> sequences,
                    const SamplingParams& params, std::span<Drawn> drawn);
  /// Ranges of rows to run side by side.
  std::int64_t pieces_for(std::int64_t rows) const;

  const Decoder* decoder_;
  ParameterProvider* weights_;
  Exec exec_;
  std::int64_t vocabulary_;
  KvCache cache_;
  std::vector<Scratch> scratch_;  ///< one a piece
  Staging copies_;
};

}  // namespace aha
