#pragma once
#include <memory>
#include <optional>

#include "trainer/comm/communicator.h"
#include "trainer/model/resident_weights.h"
#include "trainer/optim/gathered_blocks.h"

namespace aha {

/// The weights of a policy or a reference over the ranks of a job: f32 values of which each rank keeps and moves its
/// own slice (shards_of), and what the decoder reads, which `publish` makes of all slices.
///
///   one rank, or storage F32        the values themselves, of which the own slice is a part
///   storage BF16, F16               the values rounded; f32 values are the own slice alone
///   by_block (stage 3 of ZeRO,      the own slice of either; blocks are gathered as they are used (GatheredBlocks),
///   arXiv:1910.02054, section 5.3)  and for a rollout all of them, where whole_in_rollout says so
///
/// Calls are collective unless they say otherwise; every rank makes the same ones.
class TrainedWeights : public ParameterProvider {
 public:
  struct Options {
    FloatType storage = FloatType::F32;
    bool by_block = false;
    bool whole_in_rollout = true;
  };

  /// Takes the own values over; `publish` must follow. `comm` null: one rank.
  TrainedWeights(const ModelConfig& config, const ParameterLayout& layout, const Ops& ops,
                 const Exec& exec, Tensor own, const Options& options,
                 Communicator* comm = nullptr);
  /// Weights of one rank that no update will change.
  TrainedWeights(ResidentWeights weights, const Exec& exec);
  /// What is on its way keeps its memory: the job is about to end with an error.
  ~TrainedWeights() override;
  TrainedWeights(const TrainedWeights&) = delete;
  TrainedWeights& operator=(const TrainedWeights&) = delete;

  /// Memory that they take on one of `ranks` ranks beside what a rollout brings together.
  static std::int64_t bytes_for(const ParameterLayout& layout, const Options& options, int ranks);
  /// What a rollout brings together: all weights as they are read.
  static std::int64_t rollout_bytes_for(const ParameterLayout& layout, const Options& options,
                                        int ranks);

  /// Which of the values are this rank's. No collective, as are the next five.
  Slice own() const { return own_; }
  /// [own] f32, in the table's memory.
  float* data();
  /// [own] where `publish` has them rounded, in the table's memory; null in storage F32. Not while weights travel.
  std::uint16_t* own_rounded();
  /// [own] f32 in the host's memory: the values themselves where that is the table's, else a copy.
  Tensor values();
  const Options& options() const { return options_; }
  FloatType storage() const { return options_.storage; }

  /// Copies own values [own] in; `publish` must follow.
  void assign(const Tensor& own);
  /// Begins to make what the decoder reads of the values. UserError for a value that the storage does not hold.
  /// `rounded`: own_rounded has them already.
  void publish(bool rounded = false);
  /// Waits for what `publish` began: before a pass, and before own values change.
  void settle();
  /// [total] f32 on rank 0, in the host's memory: the values themselves where it has them, else a copy of its own.
  /// Other ranks: undefined.
  Tensor whole();
  /// True when `whole` returns a copy.
  bool divided() const { return divided_; }

  /// From here to `end_rollout` this rank makes as many forward passes as it likes, with the weights of the last `publish`.
  void begin_rollout();
  void end_rollout();
  /// Takes part in a forward pass that other ranks make.
  void pass_by();

  EdgeWeights edges() override;
  BlockWeights gather(Index layer) override;
  void release(Index layer) override;
  bool side_by_side() const override { return whole_.has_value(); }

 private:
  void round_own(std::uint16_t* to);
  void share_whole(bool rounded);
  void pass_blocks();
  int ranks() const { return comm_ == nullptr ? 1 : comm_->size(); }

  ModelConfig config_;
  ParameterLayout layout_;
  const Ops* ops_ = nullptr;
  Exec exec_;
  Options options_;
  Communicator* comm_ = nullptr;
  std::vector<Slice> shards_;
  Slice own_;
  bool divided_ = false;                    ///< own values lie apart from whole_
  Tensor own_values_;                       ///< [own] f32, divided and in the host's memory
  Buffer device_own_;                       ///< the same in a device's
  Buffer own_rounded_;                      ///< [own] 16 bits, by_block
  std::optional<ResidentWeights> whole_;    ///< by_block: in a rollout
  std::unique_ptr<GatheredBlocks> blocks_;  ///< by_block
  Transfer transfer_;
  bool travels_ = false;   ///< to whole_
  bool sampling_ = false;  ///< ranks announce their passes
};

}  // namespace aha
