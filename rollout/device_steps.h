#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "rollout/drawing.h"
#include "rollout/recorded_steps.h"
#include "rollout/sampling_params.h"
#include "rollout/scheduler.h"
#include "trainer/model/decoder.h"

namespace aha {

/// Rows that attend to the most positions first: a device starts rows in their order, and the last to end are to be short.
std::vector<Sequence*> longest_first(std::span<Sequence* const> sequences);

/// Decoding on a device that is not waited for: what a step needs of its rows is in the device's memory, a
/// launch is several steps, and their tokens are received later. The weights have to stay where they are while a rollout goes on.
class DeviceSteps {
 public:
  DeviceSteps(const Decoder& decoder, ParameterProvider& weights, std::int64_t vocabulary,
              KvCache& cache);

  /// Of a rollout: takes memory for its keys and values, and settings to the device. OutOfMemory: what it had for
  /// rollouts is given back.
  void begin(const Scheduler& scheduler, const SamplingParams& params);
  /// Rollouts of at most this will come: takes their memory, and records for their rows where one begins. OutOfMemory: give_back.
  void expect(const Scheduler& scheduler);
  /// Of what was taken and recorded all; what was taken for rows that there is no room for would be missing for fewer. Nothing is
  /// expected any more.
  void give_back();
  /// Gives sequences their slots and draws their first tokens from `hidden` [n, C], in the device's memory.
  Drawing first_tokens(std::span<Sequence* const> sequences, const float* hidden);
  /// Decodes some steps of sequences in their slots.
  Drawing next_tokens(std::span<Sequence* const> sequences);
  /// Waits for the tokens of a drawing: the oldest that was not received.
  void receive(Drawing& drawing) const;

  static constexpr std::int64_t kSteps = 4;  ///< of a launch

 private:
  const Memory& memory() const { return *decoder_->ops().memory; }
  void reserve(Index num_blocks);
  void notice_moved_weights();
  /// Unless it is there.
  void record(Index bucket);
  void send_settings(const Scheduler& scheduler, const SamplingParams& params);
  void send_order(std::span<Sequence* const> sequences, Index rows);
  void start(std::span<Sequence* const> sequences);
  void sample(const float* hidden, Index rows, DrawnToken* drawn) const;
  void step(Index rows);
  /// Has `steps` times `rows` tokens brought to the host.
  Drawing bring(std::span<Sequence* const> sequences, std::int64_t steps, Index rows);

  /// Device memory of a fixed size.
  template <class T>
  T* room(Index count);

  const Decoder* decoder_;
  const DeviceOps* device_;
  ParameterProvider* weights_;
  std::int64_t vocabulary_;
  KvCache* cache_;
  std::vector<Buffer> fixed_;
  // [kMostRows] each, but for what is said
  DecodeSettings* settings_;  ///< one
  DecodeSlot* slots_;
  std::int32_t* order_;
  std::int64_t* ids_;
  std::int32_t* positions_;
  const std::int32_t** tables_;
  DrawnToken* drawn_;         ///< [kSteps, kMostRows]
  std::int32_t* idle_table_;  ///< one

  Buffer slot_tables_, stop_ids_;
  Index table_width_ = 0;
  Index expected_rows_ = 0;
  RandomKey key_;  ///< of the rollout
  Scratch scratch_;
  Staging starts_;
  RecordedSteps steps_;
  EdgeWeights recorded_{};  ///< where they were when steps were recorded
  /// Drawings under way and one that is read are not written to.
  static constexpr int kArrivals = 4;
  std::unique_ptr<void, void (*)(void*)> arrivals_;
  int arrival_ = 0;
};

}  // namespace aha
