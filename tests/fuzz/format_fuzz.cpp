// Every reward on the shape of a text gives a number between -1 and 1.
#include <vector>

#include "rewards/format.h"
#include "rewards/registry.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

std::vector<std::unique_ptr<aha::Reward>> shape_rewards() {
  std::vector<std::unique_ptr<aha::Reward>> rewards;
  for (const auto& variant : aha::format_variants())
    rewards.push_back(aha::make_reward("format", {{"variant", variant.name}}));
  for (const char* language : {"en", "zh", "ja", "ru"})
    rewards.push_back(aha::make_reward("language", {{"language", language}}));
  return rewards;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto rewards = shape_rewards();
  static const aha::Json row = aha::Json::object();
  for (const auto& reward : rewards) {
    const auto part =
        reward->score({.completion = aha_fuzz::text_of(data, size), .row = row, .ids = {}});
    aha_fuzz::require(part.score && *part.score >= -1.0 && *part.score <= 1.0);
  }
  return 0;
}
