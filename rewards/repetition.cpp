#include "rewards/repetition.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "rewards/registry.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// SplitMix64's: every bit of the result depends on every bit of x.
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Gives equal pairs equal ranks, 0, 1, ... in the order in which they come.
class PairRanks {
 public:
  /// `key` is a function of all ids: whoever picks ids that collide under one key has changed it by that.
  PairRanks(std::size_t most, std::uint64_t key)
      : slots_(std::bit_ceil(2 * std::max<std::size_t>(most, 1))), key_(key) {}

  /// Replaces values[i] by the rank of (values[i], values[i + gap]), as far as there are such pairs; the number
  /// of ranks.
  std::int64_t rank(std::vector<std::int64_t>& values, std::size_t gap) {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    ranks_ = 0;
    for (std::size_t i = 0; i + gap < values.size(); ++i)
      values[i] = of(values[i], values[i + gap]);  // nothing behind looks at values[i] again
    values.resize(values.size() - gap);
    return ranks_;
  }

 private:
  struct Slot {
    std::int64_t first = 0;
    std::int64_t second = 0;
    std::int64_t rank = -1;  ///< -1: free
  };

  std::int64_t of(std::int64_t first, std::int64_t second) {
    const auto mask = slots_.size() - 1;
    const auto hash =
        mixed(mixed(static_cast<std::uint64_t>(first) ^ key_) + static_cast<std::uint64_t>(second));
    for (auto at = hash & mask;; at = (at + 1) & mask) {
      auto& slot = slots_[at];
      if (slot.rank < 0) slot = {first, second, ranks_++};
      if (slot.first == first && slot.second == second) return slot.rank;
    }
  }

  std::vector<Slot> slots_;
  std::uint64_t key_;
  std::int64_t ranks_ = 0;
};

class RepetitionReward final : public Reward {
 public:
  RepetitionReward(std::int64_t size, double max_penalty)
      : size_(size), max_penalty_(max_penalty) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto length = static_cast<std::int64_t>(attempt.ids.size());
    if (attempt.length != length) return {std::nullopt, "", "the token ids are not known"};
    if (length < size_) return {0.0, "", "shorter than an n-gram"};
    const auto total = length - size_ + 1;
    const auto unique = unique_ngrams(attempt.ids, size_);
    const double repeated = 1.0 - static_cast<double>(unique) / static_cast<double>(total);
    return {unique == total ? 0.0 : repeated * max_penalty_, "",
            fmt::format("{} of {} n-grams differ", unique, total), total};
  }

 private:
  std::int64_t size_;
  double max_penalty_;
};

std::unique_ptr<Reward> make_repetition_reward(const RewardOptions& options) {
  const auto max_penalty = options.number("max_penalty");
  if (max_penalty > 0) {
    fail("reward '{}': option 'max_penalty' is '{}', expected a number of at most 0",
         options.reward(), options.text("max_penalty"));
  }
  return std::make_unique<RepetitionReward>(options.whole("ngram_size", 1), max_penalty);
}

}  // namespace

std::int64_t unique_ngrams(std::span<const TokenId> ids, std::int64_t n) {
  check(n >= 1, "an n-gram has at least one id");
  if (std::ssize(ids) < n) return 0;
  std::uint64_t key = 0;
  for (const auto id : ids)
    key = (key ^ static_cast<std::uint64_t>(id)) * 0x9E3779B97F4A7C15U;
  PairRanks pairs(ids.size(), mixed(key));
  // Ranks stand for runs of `width` ids: equal rank, equal run. A run twice as wide is a pair of
  // them, and one of n ids is a pair that overlaps.
  std::vector<std::int64_t> ranks(ids.begin(), ids.end());
  std::int64_t width = 1;
  for (; width * 2 < n; width *= 2)
    pairs.rank(ranks, static_cast<std::size_t>(width));
  return pairs.rank(ranks, static_cast<std::size_t>(n - width));
}

/// Repetition penalty over token ids: max_penalty * (1 - unique n-grams / n-grams); 0 if there are
/// fewer than n tokens. Options `ngram_size` (>= 1) and `max_penalty` (<= 0). An attempt whose ids
/// are not known cannot be judged.
///
/// Source: "Demystifying long chain-of-thought reasoning" (arXiv:2502.03373) appendix C.2, as TRL
/// has it.
RewardInfo repetition_reward() {
  return {"repetition",
          "max_penalty * (1 - unique n-grams / n-grams) over token ids",
          {{"ngram_size", "3", "tokens"}, {"max_penalty", "-1.0", "at most 0"}},
          make_repetition_reward};
}

RewardInfo trl_repetition_reward() {
  return {"trl.repetition_penalty_reward",
          "repetition under TRL's name",
          {{"ngram_size", "3", "tokens"}, {"max_penalty", "-1.0", "at most 0"}},
          make_repetition_reward};
}

}  // namespace aha
