#include "trainer/run/collect.h"

#include <chrono>
#include <thread>

#include "rewards/registry.h"
#include "tests/trainer/run/toy_job.h"

using namespace aha_test;

namespace {

const auto kGoOn = [] { return false; };

std::vector<std::uint64_t> ordinals(const std::vector<aha::Group>& groups) {
  std::vector<std::uint64_t> result;
  result.reserve(groups.size());
  for (const auto& group : groups)
    result.push_back(group.ordinal);
  return result;
}

/// Everything that was sampled, as one comparable text.
std::string sampled_text(const std::vector<aha::Group>& groups) {
  std::string text;
  for (const auto& group : groups)
    for (const auto& c : group.completions) {
      text += std::to_string(group.ordinal) + ":";
      for (std::size_t t = 0; t < c.ids.size(); ++t)
        text += " " + std::to_string(c.ids[t]) + "/" + std::to_string(c.logprobs[t]);
      text += "\n";
    }
  return text;
}

/// A reward that says it waits, and does.
class Waiting final : public aha::Reward {
 public:
  aha::RewardPart score(const aha::Attempt& attempt) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt.length % 3));
    return reward_->score(attempt);
  }
  bool waits() const override { return true; }

 private:
  std::unique_ptr<aha::Reward> reward_ = aha::make_reward("length");
};

std::vector<std::optional<double>> totals(const std::vector<aha::Group>& groups) {
  std::vector<std::optional<double>> all;
  for (const auto& group : groups)
    for (const auto& score : group.scores)
      all.push_back(score.total);
  return all;
}

}  // namespace

TEST_CASE("collect: scoring beside decoding gives the same groups and scores") {
  ToyJob plain({"reward.functions=[{name: length}]"});
  const auto expected = aha::collect(*plain.stage, kGoOn);
  ToyJob job({"reward.functions=[{name: length}]"});
  std::vector<aha::WeightedReward> rewards;
  rewards.push_back({"length", 1.0, {}, std::make_unique<Waiting>()});
  job.stage->scorer = std::make_unique<aha::Scorer>(std::move(rewards), aha::ScorerOptions{});
  const auto collected = aha::collect(*job.stage, kGoOn);
  CHECK(sampled_text(collected->groups) == sampled_text(expected->groups));
  CHECK(totals(collected->groups) == totals(expected->groups));
  int asked = 0;
  CHECK_FALSE(aha::collect(*job.stage, [&] { return ++asked > 20; }));
}

TEST_CASE("collect: completions do not depend on batch limit or threads") {
  ToyJob all;
  const auto expected = sampled_text(aha::collect(*all.stage, kGoOn)->groups);
  for (const char* limit : {"rollout.max_batch_size=1", "rollout.max_batch_size=5"})
    for (const int threads : {1, 2}) {
      ToyJob job({limit}, threads);
      CHECK(sampled_text(aha::collect(*job.stage, kGoOn)->groups) == expected);
    }
}

TEST_CASE("collect: every group is scored, in ordinal order, and the next step draws others") {
  ToyJob job;
  const auto first = aha::collect(*job.stage, kGoOn);
  CHECK(ordinals(first->groups) == std::vector<std::uint64_t>{0, 1, 2, 3});
  for (const auto& group : first->groups)
    CHECK(group.scores.size() == 6);
  CHECK(ordinals(aha::collect(*job.stage, kGoOn)->groups) ==
        std::vector<std::uint64_t>{4, 5, 6, 7});
}

TEST_CASE("collect: refill replaces groups without spread by further draws, within its bound") {
  // right answers are rare and length is no reward: most groups have no spread
  ToyJob job({"reward.functions=[{name: countdown_wait}]", "rollout.max_completion_length=12",
              "objective.zero_variance_groups=refill", "objective.max_resample_batches=3"});
  const auto collected = aha::collect(*job.stage, kGoOn);
  CHECK(collected->groups.size() == 4);
  CHECK(collected->drawn_groups > 4);
  CHECK(collected->drawn_groups <= 12);
  CHECK(job.stage->sampler.cursor() == static_cast<std::uint64_t>(collected->drawn_groups));
  const auto order = ordinals(collected->groups);
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE("collect: cancelled, it leaves the cursor where it was") {
  ToyJob job;
  int asked = 0;
  CHECK_FALSE(aha::collect(*job.stage, [&] { return ++asked > 5; }).has_value());
  CHECK(job.stage->sampler.cursor() == 0);
}
