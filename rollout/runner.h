#pragma once
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "rollout/device_steps.h"
#include "rollout/drawing.h"
#include "rollout/sampling_params.h"
#include "trainer/model/decoder.h"

namespace aha {

/// Rows in, tokens out: owns the key/value cache and per-thread scratch, and runs the decoder on them.
/// Rows are independent, so a large batch is cut into ranges of rows, each going through the whole decoder
/// on one thread without a barrier; a small one runs with the team inside each kernel. On a device nothing here
/// waits but `receive`.
class Runner {
 public:
  Runner(const Decoder& decoder, ParameterProvider& weights, Exec exec, std::int64_t vocabulary);

  /// Of a rollout: memory for what the scheduler may hold. Params stay valid until the rollout ends.
  void begin(const Scheduler& scheduler, const SamplingParams& params);

  /// Rollouts that hold no more than this scheduler's will come: a device has the memory of all of them from now on. Where it
  /// has too little each takes its own as it begins.
  void expect(const Scheduler& scheduler);

  /// Rows beyond which decoding more at once is slower: the keys and values of so many sequences of
  /// `positions` positions on average about fill the caches near the cores. Every token reads them all, so
  /// a small model decodes its rows in waves. Above any batch where the weights outweigh them.
  static std::int64_t rows_in_caches(const ModelConfig& model, std::int64_t threads,
                                     std::int64_t positions);
  std::int64_t rows_in_caches(std::int64_t positions) const {
    if (device_ != nullptr) return kMostRows;
    return rows_in_caches(decoder_->config(), exec_.threads(), positions);
  }

  /// Computes keys and values of the prompts and their last hidden rows.
  void prefill(std::span<SharedPrompt* const> prompts, std::span<const GroupRequest> requests);

  /// Gives each completion its copy of the prompt's partly filled block.
  void copy(std::span<const KvCopy> copies);

  /// Draws the first token of sequences that have none from their prompt's hidden row.
  Drawing first_tokens(std::span<Sequence* const> sequences);

  /// Runs the last token of each sequence and draws the next, and as many more as are a device's steps.
  Drawing next_tokens(std::span<Sequence* const> sequences);

  /// Fills in the tokens of a drawing; of several in the order in which they were asked for.
  void receive(Drawing& drawing) const {
    if (device_ != nullptr) device_->receive(drawing);
  }
  bool on_device() const { return device_ != nullptr; }
  /// Drawings that are best under way while their sequences' next ones are asked for.
  std::size_t drawings_ahead() const { return device_ != nullptr ? 1 : 0; }

 private:
  void sample(const Exec& exec, const float* hidden, Scratch& scratch,
              std::span<Sequence* const> sequences, std::span<DrawnToken> drawn) const;
  void prefill_range(const Exec& exec, Scratch& scratch, std::span<SharedPrompt* const> prompts,
                     std::span<const GroupRequest> requests);
  void decode_range(const Exec& exec, Scratch& scratch, std::span<Sequence* const> sequences,
                    std::span<DrawnToken> drawn);
  /// A device's memory beside that of its steps.
  void reserve(const Scheduler& scheduler);
  /// Ranges of rows to run side by side.
  std::int64_t pieces_for(std::int64_t rows) const;

  const Decoder* decoder_;
  ParameterProvider* weights_;
  Exec exec_;
  std::int64_t vocabulary_;
  const SamplingParams* params_ = nullptr;
  KvCache cache_;
  Buffer prompt_rows_;            ///< [places, C] hidden rows that first tokens are drawn from
  std::vector<Scratch> scratch_;  ///< one a piece
  Staging copies_, places_;
  std::unique_ptr<DeviceSteps> device_;  ///< null where memory is the host's
};

}  // namespace aha
