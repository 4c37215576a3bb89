#pragma once
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "trainer/model/decoder.h"
#include "trainer/objective/batch.h"

namespace aha {

/// Joins the decoder to objectives: log-probabilities of a micro-batch's loss tokens, and the backward
/// pass from their derivatives. Owns the activations, which are reused from micro-batch to micro-batch.
///
/// A micro-batch is run in pieces of whole sections whose rows of one layer about fit the caches. Pieces
/// go forward side by side, each on one thread, and backward block by block, one after the other through each
/// block, the team inside each kernel: every gradient is then the same chain over the rows as without pieces,
/// to the bit. Where weights are not there side by side, pieces go forward block by block, too.
///
/// With `gradient_checkpointing` a piece keeps of each block what enters it, and computes the rest again on its way
/// back: the same bits in less memory and more time (trainer/README.md, "Activations"). With `keep_logits` a device's table
/// keeps the exponentials of a micro-batch's logits, where they are not too many (head_kept_floats).
class Learner {
 public:
  /// `vocabulary`: logits at or above it do not exist, as in rollout. `temperature` as sampled.
  Learner(const Decoder& decoder, Exec exec, std::int64_t vocabulary, double temperature,
          bool gradient_checkpointing = false, bool keep_logits = true);

  struct TokenValues {
    std::vector<float> logprobs;   ///< [T] of the targets
    std::vector<float> entropies;  ///< [T] nats
  };

  /// Micro-batches of so many loss tokens will come: takes the memory for their rows and logits before a collective that is
  /// under way could keep what is replaced.
  void expect(ParameterProvider& weights, std::span<const Index> tokens);

  /// Forward pass that keeps what `backward` needs. The values stand until the next one.
  const TokenValues& forward(ParameterProvider& weights, const MicroBatch& micro);

  /// Adds the gradient of sum(d_logprob * logprob + d_entropy * entropy) to `grads`, for the micro-batch
  /// of the last `forward`. `d_entropy` is empty when the loss has no entropy term.
  void backward(ParameterProvider& weights, const MicroBatch& micro,
                std::span<const float> d_logprob, std::span<const float> d_entropy,
                GradientSink& grads);

  /// Takes part in the backward pass of other ranks' micro-batches, with nothing of its own.
  void pass_back_by(ParameterProvider& weights, GradientSink& grads) {
    decoder_->backward(exec_, weights, {}, backward_scratch_, grads);
  }

  /// Log-probabilities alone, keeping nothing: for the reference policy.
  std::vector<float> logprobs(ParameterProvider& weights, const MicroBatch& micro);

  /// Rows of a piece, unless one section alone has more.
  static Index rows_of_a_piece(const ModelConfig& config);

  /// What pieces keep takes at most this many times that of the largest micro-batch so far; what threads work in, as
  /// much as the largest piece.
  static constexpr double kMostGrowth = 1.5;

  /// Bytes so far: of what exists for every row of a micro-batch, and of what threads work in.
  std::int64_t kept_bytes() const;
  std::int64_t scratch_bytes() const;
  /// Pieces of the last forward pass.
  std::size_t pieces() const { return num_pieces_; }

 private:
  /// Consecutive sections, with block numbers that start at 0.
  struct Piece {
    explicit Piece(Activations activations) : kept(std::move(activations)) {}
    RowBatch batch(const MicroBatch& micro) const;

    Index first_row = 0, end_row = 0;
    Index first_token = 0, end_token = 0;
    Index num_blocks = 0;
    std::vector<Index> section_starts;
    std::vector<KvCopy> copies;
    std::vector<std::vector<std::int32_t>> tables;
    std::vector<const std::int32_t*> row_tables;  // [rows]
    Activations kept;
    Index room = 0;                       // rows that `kept` has memory for
    std::vector<std::int64_t> loss_rows;  // [tokens] within the piece
    Staging staging;                      // of what its tokens need
    Returning returning;
  };

  void cut(const MicroBatch& micro);
  Index kept_logits_floats(ParameterProvider& weights, Index tokens) const;
  void share_memory(Index rows);
  Piece& next_piece(std::size_t index);
  Activations empty_activations() const {
    return Activations(decoder_->config(), gradient_checkpointing_);
  }
  /// Rows of a forward pass and the tokens that they predict.
  struct Judged {
    const float* hidden;                    ///< [rows, C], in the table's memory
    std::span<const Index> loss_rows;       ///< [tokens] of `hidden`
    std::span<const std::int64_t> targets;  ///< [tokens]
    float* rows;                            ///< [tokens, C], takes the rows that predict
    std::span<float> logprobs;              ///< [tokens]
    std::span<float> entropies;             ///< [tokens], or empty: not wanted
    float* kept = nullptr;                  ///< HeadLogprob::kept
  };
  void judge(const Exec& exec, const EdgeWeights& edges, const Judged& what, Staging& staging,
             Returning& returning) const;
  void forward_by_block(ParameterProvider& weights, const MicroBatch& micro, TokenValues& values);
  void judge_piece(const Exec& exec, const EdgeWeights& edges, const MicroBatch& micro,
                   Piece& piece, const float* hidden, TokenValues& values);
  /// As many pieces side by side as occupy every thread alike; the team works inside each of the rest.
  void each_piece(const std::function<void(const Exec&, std::size_t, BlockScratch&)>& body);
  void scatter(const Exec& exec, Piece& piece, const float* dhead, float* dhidden);

  const Decoder* decoder_;
  Exec exec_;
  std::int64_t vocabulary_;
  float inv_temperature_;
  bool gradient_checkpointing_, keep_logits_;
  Index rows_wanted_;  // of a piece
  std::vector<std::unique_ptr<Piece>> pieces_;
  std::size_t num_pieces_ = 0;  // of the last forward
  Index most_rows_ = 0;         // of a micro-batch
  TokenValues values_;          // of the last forward
  KvCache reference_cache_;
  Scratch reference_scratch_;
  BackwardScratch backward_scratch_;
  std::vector<BlockScratch> beside_;  // of the other threads, where pieces run side by side
  Buffer head_rows_, dhead_rows_, dhidden_, reference_rows_, logits_;
  float* kept_logits_ = nullptr;  // of the last forward; null: they are not kept
  Staging head_staging_;
};

}  // namespace aha
