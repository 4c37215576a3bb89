#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/model/model_size.h"
#include "trainer/run/machines.h"

namespace aha {

/// Rows decoded at once where nothing is said: a step's completions, and no fewer than keep the machine
/// busy. An evaluation may have many more, whose caches need not all exist at a time.
std::int64_t decode_rows(const StageConfig& stage);

/// The ranks of a job and what they run on.
struct Cluster {
  MachineKind kind;
  std::int64_t ranks = 1;
  std::int64_t per_node = 1;  ///< ranks of one machine

  std::int64_t nodes() const { return (ranks + per_node - 1) / per_node; }
  /// Bytes a second that a rank sends in a large collective: as the slowest link on its way allows.
  /// Ranks of a CPU that are more than its cores share what copies their bytes.
  double link_bytes_per_s() const {
    const double here = static_cast<double>(std::min(ranks, per_node));
    const double crowded =
        kind.built ? std::max(1.0, here / static_cast<double>(kind.per_node)) : 1.0;
    return (nodes() > 1 ? kind.network_gb_s : kind.link_gb_s) * 1e9 * kind.link_share / crowded;
  }
};

/// What the ranks divide among them (Rajbhandari et al. 2020, arXiv:1910.02054, section 5): optim.zero_stage.
/// The f32 values behind 16-bit weights are divided in each of them.
enum class Zero : std::uint8_t {
  Moments = 1,    ///< the optimizer's moments
  Gradients = 2,  ///< and the gradients
  Weights = 3,    ///< and the weights, which are gathered block by block as they are used
};

/// What one step of a stage does, as its configuration asks for it.
struct StepWork {
  std::int64_t prompts = 0;
  std::int64_t generations = 0;
  double prompt_tokens = 0;       ///< of one prompt
  double completion_tokens = 0;   ///< of one completion
  double trained_share = 1;       ///< of the groups: those whose advantages are not all zero
  std::int64_t iterations = 1;    ///< passes over a rollout
  std::int64_t minibatches = 1;   ///< updates a pass
  std::int64_t micro_rows = 0;    ///< of a micro-batch, at most
  std::int64_t decode_rows = 0;   ///< that a rank decodes at once, at most
  std::int64_t weight_bytes = 4;  ///< of a weight that is computed with: 4 or 2
  bool reference = false;
  bool strict = false;
  bool recomputed = false;  ///< train.gradient_checkpointing
  bool kept_logits = false;  ///< train.keep_logits, where a GPU could
  bool whole_in_rollout =
      true;  ///< Zero::Weights: gathered once a rollout; false: in each decode step

  double completions() const { return static_cast<double>(prompts * generations); }
  double sampled_tokens() const { return completions() * completion_tokens; }
  std::int64_t updates() const { return iterations * minibatches; }
};

/// What a stage's configuration divides.
inline Zero zero_of(const StageConfig& stage) {
  return static_cast<Zero>(stage.optim.zero_stage);
}

/// The work of a grpo stage whose completions are `completion_tokens` long; 0: as long as they may be.
StepWork step_work(const StageConfig& stage, bool strict, double prompt_tokens,
                   double completion_tokens = 0);

/// What one phase of a step costs the rank that has most to do.
struct PhaseCost {
  std::string name;
  double flop = 0;
  double memory_bytes = 0;  ///< read and written in its own memory
  double sent_bytes = 0;    ///< to other ranks
  double seconds = 0;
};

/// The phases of a step in their order. With W = L block_weights + head_weights elements that are multiplied
/// with, N ranks, P prompts, G completions each, Lp and Lc tokens:
///
///   prefill    2 L block_weights FLOP for each of ceil(P / N) Lp rows
///   decode     ceil(rows / rows at once) Lc steps; one takes max(W bytes / rate, 2 W rows / FLOP rate)
///              + keys and values / rate, and no less than the launches of its kernels
///   gather     25 bytes a sampled token, to every rank, and four short messages or more
///   reference  2 W FLOP a trained row
///   train      6 L block_weights FLOP for each of (P (Lp + G (Lc - 1)) + (N - 1) (1 - 1 / G) Lp) / N rows, 8 head_weights for each
///              predicted token (logits are made twice), 6 where a GPU keeps them (of all micro-batches, whatever their
///              size), 3.5 times the forward attention; recomputed: 2 L (block_weights - C F) more a row, 4.5 times
///   reduce     4 (N - 1) / N bytes a parameter, 8 in strict mode; of Zero::Gradients once a micro-batch
///   optimizer  32 bytes a parameter of the own part
///   share      (N - 1) / N bytes of every weight, as it is stored
///   weights    Zero::Weights: all of them once a rollout, or in each decode step; every block before its use
///              twice a micro-batch, and once in the reference's pass; no share
///
/// Attention of a row at position p is 4 L H D p FLOP. Work of one phase is added to another's time, none is
/// taken to overlap but the gathering of weights with what uses them.
std::vector<PhaseCost> step_costs(const ModelSize& model, const StepWork& work,
                                  const Cluster& cluster, Zero zero);

/// Bytes that all ranks write for one checkpoint: the model in `saved_bytes` a parameter, f32 values behind
/// rounded ones, moments, the reference. Nothing is sent for it.
double checkpoint_bytes(const ModelSize& model, std::int64_t saved_bytes, bool reference);

/// Rows of an update that one rank runs, prompts included.
double rows_of_update(const StepWork& work, std::int64_t ranks);

double seconds_of(const std::vector<PhaseCost>& phases);
double sent_bytes_of(const std::vector<PhaseCost>& phases);

}  // namespace aha
