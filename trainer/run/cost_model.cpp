#include "trainer/run/cost_model.h"

#include <algorithm>
#include <cmath>

namespace aha {
namespace {

/// Ids, log-probability, entropy, origin and text of a sampled token, as it is told to the other ranks.
constexpr double kRecordBytes = 25;
/// A short message to all: lengths, losses, norms.
constexpr double kMessageBytes = 2056;
/// The backward pass of attention: five products to the forward pass's two.
constexpr double kAttentionBackward = 2.5;

/// One step's costs on the busiest rank.
class StepCosts {
 public:
  StepCosts(const ModelSize& model, const StepWork& work, const Cluster& cluster, Zero zero)
      : work_(work),
        cluster_(cluster),
        zero_(zero),
        ranks_(static_cast<double>(cluster.ranks)),
        others_((ranks_ - 1) / ranks_),
        parameters_(static_cast<double>(model.parameters)),
        blocks_(static_cast<double>(model.layers * model.block_weights)),
        again_(1 - static_cast<double>(model.down_weights) /
                       static_cast<double>(std::max<std::int64_t>(1, model.block_weights))),
        head_(static_cast<double>(model.head_weights)),
        attention_(4.0 * static_cast<double>(model.layers * model.attention_width)),
        kv_bytes_(static_cast<double>(model.kv_elements) * (cluster.kind.built ? 4.0 : weight())) {}

  std::vector<PhaseCost> all() {
    prefill();
    decode();
    if (ranks_ > 1) gather();
    if (work_.reference) reference();
    train();
    if (ranks_ > 1) reduce();
    optimizer();
    if (ranks_ > 1 && zero_ != Zero::Weights) share();
    return std::move(phases_);
  }

 private:
  double weight() const { return static_cast<double>(work_.weight_bytes); }
  double updates() const { return static_cast<double>(work_.updates()); }
  double flop_seconds(double flop) const {
    return flop / cluster_.kind.flop_per_s(work_.weight_bytes);
  }
  double memory_seconds(double bytes) const { return bytes / cluster_.kind.bytes_per_s(); }
  double link_seconds(double bytes, double collectives) const {
    return bytes / cluster_.link_bytes_per_s() + collectives * cluster_.kind.collective_ms * 1e-3;
  }
  /// A queue gives whole groups.
  double own_groups() const { return std::ceil(static_cast<double>(work_.prompts) / ranks_); }
  double mean_position() const { return work_.prompt_tokens + work_.completion_tokens / 2; }
  double micro_batches() const {
    const double rows = rows_of_update(work_, cluster_.ranks);
    return std::max(1.0, std::ceil(rows / static_cast<double>(work_.micro_rows)));
  }
  /// Bytes that a rank sends until every rank has had all weights once.
  double gathered_weights() const {
    return zero_ == Zero::Weights ? weight() * parameters_ * others_ : 0;
  }

  void prefill() {
    const double rows = own_groups() * work_.prompt_tokens;
    const double flop = rows * (2 * blocks_ + attention_ * work_.prompt_tokens / 2);
    const double sent = gathered_weights();  // for the rollout, or for this pass
    phases_.push_back({"prefill", flop, weight() * blocks_, sent,
                       flop_seconds(flop) + link_seconds(sent, sent > 0 ? 1 : 0)});
  }

  void decode() {
    const double own = own_groups() * static_cast<double>(work_.generations);
    const double rows = std::min(own, static_cast<double>(work_.decode_rows));
    const double steps = std::ceil(own / rows) * work_.completion_tokens;
    const double products = 2 * rows * (blocks_ + head_);
    const double weights = weight() * (blocks_ + head_);
    const double kv = rows * mean_position() * kv_bytes_;
    const double sent = work_.whole_in_rollout ? 0 : gathered_weights();
    double seconds = std::max(flop_seconds(products), memory_seconds(weights)) + memory_seconds(kv);
    seconds = std::max({seconds, cluster_.kind.decode_step_ms * 1e-3, link_seconds(sent, 0)});
    phases_.push_back({"decode", steps * (products + attention_ * rows * mean_position()),
                       steps * (weights + kv), steps * sent, steps * seconds});
  }

  void gather() {
    // a rank's records to all, and what is agreed on: the end of the step, losses and norm of each update
    const double messages = 2 + 2 * updates();
    const double sent =
        kRecordBytes * work_.sampled_tokens() * others_ + messages * kMessageBytes * (ranks_ - 1);
    phases_.push_back({"gather", 0, 0, sent, link_seconds(sent, messages)});
  }

  /// FLOP of a forward pass over a step's trained rows without the head: products, attention.
  std::pair<double, double> forward_flop() const {
    const double groups = work_.trained_share * static_cast<double>(work_.prompts) / ranks_;
    const double positions = groups * (work_.prompt_tokens * work_.prompt_tokens / 2 +
                                       static_cast<double>(work_.generations) *
                                           work_.completion_tokens * mean_position());
    const double rows =
        rows_of_update(work_, cluster_.ranks) * static_cast<double>(work_.minibatches);
    return {2 * blocks_ * rows, attention_ * positions};
  }
  double trained_tokens() const { return work_.trained_share * work_.sampled_tokens() / ranks_; }

  void reference() {
    const auto [products, attention] = forward_flop();
    const double flop = products + attention + 2 * head_ * trained_tokens();
    const double sent = micro_batches() * gathered_weights();
    phases_.push_back({"reference", flop, weight() * (blocks_ + head_), sent,
                       std::max(flop_seconds(flop), link_seconds(sent, 0))});
  }

  void train() {
    const auto [products, attention] = forward_flop();
    const double passes = static_cast<double>(work_.iterations);
    const double again = work_.recomputed ? 1 : 0;
    const double head = work_.kept_logits && !cluster_.kind.built ? 6 : 8;
    const double flop =
        passes * ((3 + again * again_) * products + (1 + again + kAttentionBackward) * attention +
                  head * head_ * trained_tokens());
    const double batches = micro_batches() * updates();
    // weights forth, back and for their gradients, which are added to
    const double bytes = batches * ((3 + again) * weight() + 8) * parameters_;
    const double sent = 2 * batches * gathered_weights();
    const double seconds = std::max(flop_seconds(flop), memory_seconds(bytes));
    phases_.push_back({"train", flop, bytes, sent, std::max(seconds, link_seconds(sent, 0))});
  }

  void reduce() {
    const double gradient = (work_.strict ? 8 : 4) * parameters_;
    const double times = updates() * (zero_ == Zero::Moments ? 1 : micro_batches());
    const double sent = times * gradient * others_;
    phases_.push_back({"reduce", 0, 0, sent, link_seconds(sent, times)});
  }

  void optimizer() {
    const double own = updates() * parameters_ / ranks_;
    // gradient for the norm and for the update; value, two moments: read and written
    const double published = work_.weight_bytes == 2 ? 2 * own : 0;
    double cleared = 4 * updates() * parameters_;
    if (zero_ != Zero::Moments && ranks_ > 1)  // the own sum, and in every micro-batch what is sent
      cleared = cleared * micro_batches() + 4 * own;
    const double bytes = 32 * own + published + cleared;
    phases_.push_back({"optimizer", 15 * own, bytes, 0, memory_seconds(bytes)});
  }

  void share() {
    const double sent = updates() * weight() * parameters_ * others_;
    phases_.push_back({"share", 0, 0, sent, link_seconds(sent, updates())});
  }

  const StepWork& work_;
  const Cluster& cluster_;
  Zero zero_;
  double ranks_;
  double others_;  ///< (N - 1) / N
  double parameters_;
  double blocks_;  ///< elements of the blocks' matrices
  double again_;   ///< the share of them that a block's forward pass multiplies with again
  double head_;
  double attention_;  ///< FLOP of a row and a position that it looks at
  double kv_bytes_;   ///< of a position
  std::vector<PhaseCost> phases_;
};

}  // namespace

std::int64_t decode_rows(const StageConfig& stage) {
  constexpr std::int64_t kLeast = 256;
  if (stage.rollout.max_batch_size > 0) return stage.rollout.max_batch_size;
  return std::max(kLeast, stage.train.prompts_per_step * stage.rollout.num_generations);
}

StepWork step_work(const StageConfig& stage, bool strict, double prompt_tokens,
                   double completion_tokens) {
  const auto longest = static_cast<double>(stage.rollout.max_completion_length);
  StepWork work;
  work.prompts = stage.train.prompts_per_step;
  work.generations = stage.rollout.num_generations;
  work.prompt_tokens = prompt_tokens;
  work.completion_tokens = completion_tokens > 0 ? completion_tokens : longest;
  work.iterations = stage.objective.num_iterations;
  work.minibatches = std::max<std::int64_t>(1, stage.objective.minibatches);
  work.micro_rows = stage.train.max_tokens_per_micro_batch;
  if (const auto most = stage.train.per_device_train_batch_size; most > 0)
    work.micro_rows =
        std::min(work.micro_rows,
                 static_cast<std::int64_t>(static_cast<double>(most) * (prompt_tokens + longest)));
  work.decode_rows = decode_rows(stage);
  work.weight_bytes = stage.model.storage == "f32" ? 4 : 2;
  work.reference = stage.objective.beta != 0;
  work.strict = strict;
  work.recomputed = stage.train.gradient_checkpointing;
  work.kept_logits = stage.train.keep_logits && work.weight_bytes == 2;
  work.whole_in_rollout = stage.optim.zero3_gather_for_rollout;
  return work;
}

/// Between N ranks are N - 1 cuts; all but one in G go through a group, whose prompt is then on both sides.
double rows_of_update(const StepWork& work, std::int64_t ranks) {
  const double groups = work.trained_share * static_cast<double>(work.prompts) /
                        static_cast<double>(work.minibatches);
  const auto generations = static_cast<double>(work.generations);
  const auto n = static_cast<double>(ranks);
  const double prompts = groups + (n - 1) * (1 - 1 / generations);
  return (prompts * work.prompt_tokens + groups * generations * (work.completion_tokens - 1)) / n;
}

std::vector<PhaseCost> step_costs(const ModelSize& model, const StepWork& work,
                                  const Cluster& cluster, Zero zero) {
  return StepCosts(model, work, cluster, zero).all();
}

double checkpoint_bytes(const ModelSize& model, std::int64_t saved_bytes, bool reference) {
  const std::int64_t values = saved_bytes == 4 ? 0 : 4;
  return static_cast<double>(model.parameters * (saved_bytes + values + 8 + (reference ? 4 : 0)));
}

double seconds_of(const std::vector<PhaseCost>& phases) {
  double sum = 0;
  for (const auto& phase : phases)
    sum += phase.seconds;
  return sum;
}

double sent_bytes_of(const std::vector<PhaseCost>& phases) {
  double sum = 0;
  for (const auto& phase : phases)
    sum += phase.sent_bytes;
  return sum;
}

}  // namespace aha
