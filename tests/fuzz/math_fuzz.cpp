// Gold, on the first line, and prediction: a verdict, and the same one with the same steps each time.
#include "rewards/registry.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

aha::RewardPart judged(const aha::Reward& reward, std::string_view gold,
                       std::string_view prediction) {
  const aha::Json row = {{"answer", std::string(gold)}};
  return reward.score({.completion = prediction, .row = row, .ids = {}, .bare = true});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto reward = aha::make_reward("math");
  const auto [gold, prediction] = aha_fuzz::split(aha_fuzz::text_of(data, size));
  const auto part = judged(*reward, gold, prediction);
  aha_fuzz::require(!part.score || *part.score == 0.0 || *part.score == 1.0);
  aha_fuzz::require(part.extracted.size() <= 200);
  // a reward of its own: the other one remembers the pair
  const auto again = judged(*aha::make_reward("math"), gold, prediction);
  aha_fuzz::require(again.score == part.score && again.steps == part.steps &&
                    again.reason == part.reason);
  return 0;
}
