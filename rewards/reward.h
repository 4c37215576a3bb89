#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/core/json.h"
#include "trainer/core/types/completion.h"
#include "trainer/core/types/group.h"

namespace aha {

/// What a reward looks at. Views live as long as the call.
struct Attempt {
  std::string_view prompt =
      {};  ///< what the model was given, less the prefill; may be empty offline
  std::string_view completion;   ///< prefill + text, without the final stop id, special tokens kept
  const Json& row;               ///< the dataset's or task's row
  std::span<const TokenId> ids;  ///< sampled ids, final stop id included; may be empty offline
  std::int64_t length = 0;       ///< tokens; -1: unknown (offline)
  bool truncated = false;
  std::int64_t max_completion_length = 0;  ///< 0: unknown
  std::int64_t group_shortest = -1;  ///< tokens, of the completions of this prompt; -1: unknown
  std::int64_t group_longest = -1;
  bool bare = false;  ///< `completion` is the answer alone: there is nothing to cut it out of
  std::string_view id = {};  ///< of no other attempt that this reward judges; empty: it has none
};

/// One rule. Stateless after construction, so `score` may be called from several threads.
/// Must be deterministic, and safe on any text: bounded time and memory, no exceptions for bad
/// completions (a wrong answer is a score, not an error).
class Reward {
 public:
  virtual ~Reward() = default;

  /// The score (nothing: cannot be judged) with what was extracted and why.
  virtual RewardPart score(const Attempt& attempt) const = 0;

  /// How the score came about, line by line, for people: `aha score --explain`.
  virtual std::vector<std::string> explanation(const Attempt& attempt) const {
    (void)attempt;
    return {};
  }

  /// True for rules that tell right from wrong: the first one is "accuracy" by default.
  virtual bool is_verifier() const { return false; }

  /// True for rules on the shape of a text, for which 1 is full marks.
  virtual bool is_format() const { return false; }

  /// True for a reward that waits for another process or machine: groups are then scored while others
  /// are still decoded.
  virtual bool waits() const { return false; }

  /// Makes sure that what judges outside is there and is spoken to alike; UserError when it is not. The first
  /// `score` does it, where this has not been called.
  virtual void reach() const {}

  /// How many calls of `score` are to wait at the same time, of a reward that has a program or machine
  /// outside judge; 0: it judges here.
  virtual std::int64_t concurrency() const { return 0; }

  /// Why this row's gold cannot be judged at all (missing field, does not parse); nothing if it
  /// can.
  virtual std::optional<std::string> gold_problem(const Json& row) const {
    (void)row;
    return std::nullopt;
  }
};

}  // namespace aha
