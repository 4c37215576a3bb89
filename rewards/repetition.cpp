#include "rewards/repetition.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "trainer/core/error.h"

namespace aha {
namespace {

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// Pairs of (values[i], values[i + gap]).
Pairs pairs_of(const std::vector<std::int64_t>& values, std::size_t gap) {
  Pairs pairs;
  pairs.reserve(values.size() - gap);
  for (std::size_t i = 0; i + gap < values.size(); ++i)
    pairs.emplace_back(values[i], values[i + gap]);
  return pairs;
}

Pairs sorted_unique(Pairs pairs) {
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  return pairs;
}

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

}  // namespace

std::int64_t unique_ngrams(std::span<const TokenId> ids, std::int64_t n) {
  check(n >= 1, "an n-gram has at least one id");
  if (std::ssize(ids) < n) return 0;
  // Ranks stand for runs of `width` ids: equal rank, equal run. A run twice as wide is a pair of
  // them, and one of n ids is a pair that overlaps.
  std::vector<std::int64_t> ranks(ids.begin(), ids.end());
  std::int64_t width = 1;
  for (; width * 2 <= n; width *= 2) {
    const auto pairs = pairs_of(ranks, static_cast<std::size_t>(width));
    const auto order = sorted_unique(pairs);
    ranks.resize(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i)
      ranks[i] = std::lower_bound(order.begin(), order.end(), pairs[i]) - order.begin();
  }
  return std::ssize(sorted_unique(pairs_of(ranks, static_cast<std::size_t>(n - width))));
}

std::unique_ptr<Reward> make_repetition_reward(const RewardOptions& options) {
  const auto max_penalty = options.number("max_penalty");
  if (max_penalty > 0) {
    fail("reward '{}': option 'max_penalty' is '{}', expected a number of at most 0",
         options.reward(), options.text("max_penalty"));
  }
  return std::make_unique<RepetitionReward>(options.whole("ngram_size", 1), max_penalty);
}

}  // namespace aha
