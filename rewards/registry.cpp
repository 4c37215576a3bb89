#include "rewards/registry.h"

#include <algorithm>

#include "rewards/format.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {

// A reward is one line here: the function in a file of its own that says what it is.
// clang-format off
#define AHA_REWARDS(reward)        \
  reward(countdown_reward)         \
  reward(countdown_wait_reward)    \
  reward(parity_reward)            \
  reward(numeric_reward)           \
  reward(math_reward)              \
  reward(code_reward)              \
  reward(command_reward)           \
  reward(http_reward)              \
  reward(format_reward)            \
  reward(length_reward)            \
  reward(soft_overlong_reward)     \
  reward(trl_soft_overlong_reward) \
  reward(cosine_length_reward)     \
  reward(group_length_reward)      \
  reward(language_reward)          \
  reward(repetition_reward)        \
  reward(trl_repetition_reward)
// clang-format on
#define AHA_DECLARED(reward) RewardInfo reward();
AHA_REWARDS(AHA_DECLARED)

namespace {

std::vector<RewardInfo> all_rewards() {
#define AHA_LISTED(reward) reward(),
  std::vector<RewardInfo> table = {AHA_REWARDS(AHA_LISTED)};
  for (auto& format : published_formats())
    table.push_back(std::move(format));
  return table;
}

std::string nearest_hint(const std::string& word, const std::vector<std::string>& known) {
  const auto near = nearest(word, known);
  if (!near.empty()) return fmt::format("the nearest is '{}'", near);
  return known.empty() ? "it has none" : fmt::format("known are {}", join_list(known));
}

}  // namespace

bool RewardInfo::has_option(std::string_view option) const {
  return std::any_of(options.begin(), options.end(),
                     [&](const RewardOptionInfo& known) { return option == known.name; });
}

bool RewardInfo::takes_from_row(std::string_view option) const {
  return std::none_of(options.begin(), options.end(), [&](const RewardOptionInfo& known) {
    return option == known.name && !known.by_row;
  });
}

std::span<const RewardInfo> reward_table() {
  static const std::vector<RewardInfo> table = all_rewards();
  return table;
}

const RewardInfo& reward_info(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& info : reward_table()) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  fail("unknown reward '{}', {}", name, nearest_hint(name, known));
}

std::unique_ptr<Reward> make_reward(const std::string& name,
                                    const std::map<std::string, std::string>& options) {
  const auto& info = reward_info(name);
  std::map<std::string, std::string> values;
  std::vector<std::string> known;
  for (const auto& option : info.options) {
    values[option.name] = option.fallback;
    known.emplace_back(option.name);
  }
  for (const auto& [option, value] : options) {
    if (!info.has_option(option))
      fail("reward '{}': unknown option '{}', {}", name, option, nearest_hint(option, known));
    values[option] = value;
  }
  return info.make(RewardOptions(name, std::move(values)));
}

RewardFunction parse_reward_spec(const std::string& spec) {
  RewardFunction function;
  const auto colon = spec.find(':');
  function.name = spec.substr(0, colon);
  if (function.name.empty()) fail("reward '{}': expected NAME[:key=value,...]", spec);
  if (colon == std::string::npos) return function;
  for (auto from = colon + 1;;) {
    const auto end = std::min(spec.find(',', from), spec.size());
    const auto item = spec.substr(from, end - from);
    const auto equals = item.find('=');
    if (equals == std::string::npos || equals == 0)
      fail("reward '{}': '{}' is not key=value", spec, item);
    if (!function.options.emplace(item.substr(0, equals), item.substr(equals + 1)).second)
      fail("reward '{}': option '{}' is given twice", spec, item.substr(0, equals));
    if (end == spec.size()) return function;
    from = end + 1;
  }
}

std::string reward_help() {
  std::string text;
  for (const auto& info : reward_table()) {
    text += fmt::format("  {:<30} {}\n", info.name, info.what);
    for (const auto& option : info.options)
      text += fmt::format("  {:<30}   {}={}: {}\n", "", option.name, option.fallback, option.what);
  }
  return text;
}

}  // namespace aha
