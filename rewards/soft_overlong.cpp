#include "rewards/registry.h"

#include <optional>

#include "trainer/core/error.h"

namespace aha {
namespace {

double soft_overlong(std::int64_t length, std::int64_t max, std::int64_t cache) {
  if (length <= max - cache) return 0.0;
  if (length > max) return -1.0;
  return static_cast<double>(max - cache - length) / static_cast<double>(cache);
}

class SoftOverlongReward final : public Reward {
 public:
  /// No cache: a fifth of the limit.
  SoftOverlongReward(std::int64_t max, std::optional<std::int64_t> cache)
      : max_(max), cache_(cache) {}

  RewardPart score(const Attempt& attempt) const override {
    const auto max = max_ > 0 ? max_ : attempt.max_completion_length;
    if (attempt.length < 0) return {std::nullopt, "", "the length in tokens is not known"};
    if (max <= 0) return {std::nullopt, "", "no limit: set option 'max'"};
    const auto score = soft_overlong(attempt.length, max, cache_.value_or(max / 5));
    const char* reason = score == 0.0 ? "within" : attempt.length > max ? "beyond" : "near the end";
    return {score, std::to_string(attempt.length), reason, 1};
  }

 private:
  std::int64_t max_;
  std::optional<std::int64_t> cache_;
};

void refuse_large_cache(const RewardOptions& options, std::int64_t max, std::int64_t cache) {
  if (max > 0 && cache > max) {
    fail("reward '{}': the cache of {} tokens is larger than the limit of {}", options.reward(),
         cache, max);
  }
}

std::unique_ptr<Reward> make_soft_overlong_reward(const RewardOptions& options) {
  const auto max = options.whole("max", 0);
  const auto cache = options.whole("cache", 0);
  refuse_large_cache(options, max, cache);
  return std::make_unique<SoftOverlongReward>(max, cache > 0 ? std::optional(cache) : std::nullopt);
}

std::unique_ptr<Reward> make_trl_soft_overlong_reward(const RewardOptions& options) {
  const auto max = options.whole("max_completion_len", 0);
  const auto cache = options.whole("soft_punish_cache", 0);
  refuse_large_cache(options, max, cache);
  return std::make_unique<SoftOverlongReward>(max, cache);
}

}  // namespace

/// Soft overlong punishment, DAPO (arXiv:2503.14476) eq. 13:
///
///   0                               length <= max - cache
///   ((max - cache) - length)/cache  max - cache < length <= max
///   -1                              max < length
///
/// `length` is in tokens, the final stop token included. Options of `soft_overlong`: `max` (0: the
/// run's rollout.max_completion_length) and `cache` (0: a fifth of max, rounded down, as DAPO's
/// 4,096 of 20,480). An attempt whose length or limit is unknown cannot be judged. UserError when
/// both are given and cache is larger than max.
RewardInfo soft_overlong_reward() {
  return {"soft_overlong",
          "0 up to max - cache tokens, then linear to -1 at max (DAPO)",
          {{"cache", "0", "tokens; 0: a fifth of max"},
           {"max", "0", "tokens; 0: rollout.max_completion_length"}},
          make_soft_overlong_reward};
}

/// The same under TRL's names `max_completion_len` and `soft_punish_cache`; a cache of 0 is a step
/// at max.
RewardInfo trl_soft_overlong_reward() {
  return {"trl.soft_overlong_punishment",
          "soft_overlong under TRL's names",
          {{"max_completion_len", "0", "tokens; 0: rollout.max_completion_length"},
           {"soft_punish_cache", "0", "tokens"}},
          make_trl_soft_overlong_reward};
}

}  // namespace aha
