#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "rollout/sampling_params.h"
#include "rollout/sequence.h"
#include "trainer/core/types/group.h"

namespace aha {

/// Which request to start next; requests_.size() or more: none are left. Ascending.
using Claim = std::function<std::size_t()>;

/// Decides who runs: hands out slots of the decode batch and blocks of the key/value cache. Requests
/// start in order; a group's completions start together as far as slots allow; a finished completion
/// gives its slot back at once.
class Scheduler {
 public:
  /// `max_batch` rows at most. With `claim` only the requests that it gives are run.
  Scheduler(std::span<const GroupRequest> requests, std::int64_t max_batch,
            std::int64_t max_completion_length, Claim claim = {});

  /// Blocks that the cache must hold.
  Index num_blocks() const { return num_blocks_; }
  std::int64_t max_batch() const { return max_batch_; }
  /// Prompts that may be held at a time.
  std::int64_t num_places() const { return num_places_; }
  /// Tokens of prompts that start at a time, at most.
  std::int64_t prompt_tokens() const { return prompt_tokens_; }
  std::int64_t longest_prompt() const { return longest_prompt_; }
  /// Blocks that a sequence's table has at most.
  Index table_entries() const { return prompt_blocks_ + own_blocks_; }

  struct Admitted {
    std::vector<SharedPrompt*> prompts;  ///< to prefill before the sequences start
    std::vector<Sequence*> sequences;    ///< to draw a first token for
    std::vector<KvCopy> copies;          ///< prompt's last block -> sequence's first own block
  };
  /// Starts as many completions as slots and prompt places allow. `completion_of(request, index)` gives
  /// where a completion is written.
  Admitted admit(std::vector<Group>& groups);

  /// Takes a finished sequence out. True when it was the last of its group.
  bool finish(Sequence* sequence);

  const std::vector<Sequence*>& running() const { return running_; }
  bool done() const { return exhausted_ && prompts_.empty(); }

  /// Slots and blocks are all accounted for: held by exactly one owner or free. For tests and idle checks.
  bool consistent() const;

 private:
  bool claim();
  SharedPrompt* start_prompt(std::size_t request);
  Sequence* start_sequence(SharedPrompt& prompt, Group& group, Admitted& admitted);

  std::span<const GroupRequest> requests_;
  std::int64_t max_batch_;
  std::int64_t num_places_;
  std::int64_t max_completion_length_;
  std::int64_t longest_prompt_ = 1;
  std::int64_t prompt_tokens_ = 0;
  std::int64_t prompt_blocks_;  ///< per prompt place
  std::int64_t own_blocks_;     ///< per slot
  Index num_blocks_;
  Claim claim_;
  std::size_t claimed_ = 0;                            ///< the last request that was claimed
  bool exhausted_ = false;                             ///< none are left to claim
  std::deque<std::unique_ptr<SharedPrompt>> prompts_;  ///< started and not finished
  std::vector<std::unique_ptr<Sequence>> sequences_;   ///< by slot
  std::vector<Sequence*> running_;
  std::vector<std::int32_t> free_slots_;
  std::vector<std::int32_t> free_prompt_places_;
};

}  // namespace aha
