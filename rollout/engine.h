#pragma once
#include <functional>
#include <span>
#include <vector>

#include "rollout/runner.h"
#include "rollout/sampling_params.h"
#include "rollout/scheduler.h"
#include "rollout/stop_matcher.h"
#include "trainer/core/types/group.h"

namespace aha {

/// What a call of `generate` did.
struct RolloutStats {
  std::int64_t prompt_tokens = 0;  ///< computed once a group
  std::int64_t completion_tokens = 0;
  std::int64_t decode_steps = 0;
  /// Of prompts, up to their completions' first tokens; on a device of asking for them, which it does later.
  double prefill_seconds = 0;
  double seconds = 0;  ///< in all
};

using OnToken = std::function<void(std::size_t request, const Completion& completion)>;

/// What a caller wants to know, or to decide, while a rollout goes on; each may be empty.
struct RolloutHooks {
  /// For each group at the moment it is complete (on the calling thread, any order).
  std::function<void(Group&)> on_group;
  /// Asked between decode steps: true cuts the rollout short, and nothing is returned.
  std::function<bool()> cancelled;
  /// After each token, with the index of the request and the completion so far, whose last id is the new one.
  OnToken on_token;
  /// Which requests are run here; the others are run elsewhere and not returned.
  Claim claim;
  std::int64_t max_batch = 0;  ///< rows at once, below the engine's own limit; 0: as that
};

/// A rollout that may come.
struct RolloutShape {
  std::int64_t prompts = 0;
  std::int64_t samples = 1;                ///< of each
  std::int64_t longest_prompt = 1;         ///< tokens
  std::int64_t max_completion_length = 1;  ///< tokens
  std::int64_t max_batch = 0;              ///< RolloutHooks::max_batch
};

/// Samples groups of completions with continuous batching: prompts are computed once and shared, a
/// finished row leaves at once and its slot is refilled.
class Engine {
 public:
  /// At most `max_batch` rows at once, 0: as many as are fastest (Runner::rows_in_caches). `decode` makes
  /// text for stop strings and Completion::text; none: no text.
  /// `vocabulary`: ids at or above it are never drawn (padded rows of the embedding).
  Engine(const Decoder& decoder, ParameterProvider& weights, Exec exec, std::int64_t vocabulary,
         DecodeText decode, std::int64_t max_batch = 0);

  /// A device takes the memory of such a rollout, and those that hold less need none. Nothing on a host.
  void expect(const RolloutShape& shape);

  /// Groups in the order of the requests. `weights_version` is noted in each completion.
  /// UserError when a prompt and its completion could need more positions than the model has.
  std::vector<Group> generate(std::span<const GroupRequest> requests, const SamplingParams& params,
                              std::int64_t weights_version = 0, const RolloutHooks& hooks = {});

  /// Whether decoding takes no more of the calling thread than asking for it.
  bool on_device() const { return runner_.on_device(); }

  const RolloutStats& last_stats() const { return stats_; }

 private:
  struct Rollout;  // one call of generate
  void write_text(Group& group) const;
  /// Rows at once, of sequences of so many positions on average.
  std::int64_t most_rows(std::int64_t positions, std::int64_t limit) const;
  /// With as many rows, `most` at most, as there is memory for the keys and values of.
  Scheduler begin(std::span<const GroupRequest> requests, const SamplingParams& params,
                  std::int64_t most, const Claim& claim);

  Runner runner_;
  DecodeText decode_;
  std::int64_t max_batch_;
  std::int64_t max_positions_;
  RolloutStats stats_;
};

}  // namespace aha
