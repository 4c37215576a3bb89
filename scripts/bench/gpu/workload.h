#pragma once
// Sampling and training of a model with random weights, as a job does them, without data and rewards.
#include <memory>
#include <string_view>
#include <vector>

#include "rollout/engine.h"
#include "scripts/bench/gpu/floors.h"
#include "trainer/model/parameters.h"
#include "trainer/model/resident_weights.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/gradient_sum.h"
#include "trainer/run/learner.h"

namespace aha_bench {

/// A model on a table of kernels.
class Workload {
 public:
  Workload(const aha::ModelConfig& config, const aha::Ops& ops, const aha::Exec& exec,
           aha::FloatType storage);

  /// One request a prompt of the load, of random ids; the completions of a prompt are as long as its first.
  std::vector<aha::GroupRequest> requests(const Load& load) const;
  /// Completions of full length, at temperature 1.
  std::vector<aha::Group> generate(const std::vector<aha::GroupRequest>& requests);
  const aha::RolloutStats& rollout() const { return engine_->last_stats(); }

  /// Seconds of an update's parts; all of it is done when it returns.
  struct Update {
    std::int64_t rows = 0, tokens = 0, micro_batches = 0;
    double pack = 0;       ///< of dealing and packing, on the host
    double passes = 0;     ///< forward, loss, backward
    double optimizer = 0;  ///< norm, AdamW, new weights
    double seconds() const { return pack + passes + optimizer; }
  };
  /// One update on all completions, each token with the same derivative.
  Update train(const std::vector<aha::Group>& groups, std::int64_t rows_of_a_micro_batch);

  /// One decode step of `rows` rows that each look at `positions` positions; what they hold does not matter.
  void decode(std::int64_t rows, std::int64_t positions);

  const aha::ModelConfig& config() const { return config_; }
  void wait();  ///< until the device has done all that was asked for

 private:
  struct Training;
  aha::ModelConfig config_;
  aha::ParameterLayout layout_;
  const aha::Ops* ops_;
  aha::Exec exec_;
  aha::Decoder decoder_;
  aha::ResidentWeights weights_;
  std::unique_ptr<aha::Engine> engine_;       ///< once something was sampled
  std::shared_ptr<Training> training_;        ///< once something was trained
  std::unique_ptr<aha::KvCache> step_cache_;  ///< of `decode`
  aha::Scratch step_scratch_;
};

/// A product that keeps a device busy for milliseconds: y [M, N] = x [M, M] w [N, M]^T, the weight in bf16, a CPU's in f32.
class LargeProduct {
 public:
  LargeProduct(const aha::Ops& ops, const aha::Exec& exec, bool small);
  void begin();  ///< a device's ends later
  double flop() const;
  const float* result() const { return y_.data(); }

 private:
  const aha::Ops* ops_;
  aha::Exec exec_;
  aha::Index M_, N_;
  aha::Buffer x_, y_, w_;
};

/// Of this table on this machine; `small`: of a copy and a product that a CPU does in a moment.
Peaks measured_peaks(const aha::Ops& ops, const aha::Exec& exec, bool small);

}  // namespace aha_bench
