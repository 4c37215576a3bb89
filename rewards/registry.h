#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rewards/options.h"
#include "rewards/reward.h"
#include "trainer/config/schema.h"

namespace aha {

struct RewardOptionInfo {
  const char* name;
  const char* fallback;  ///< value when not given
  const char* what;      ///< one line
  bool by_row = true;    ///< a row's `params` may set it; not what is run, or asked
};

/// What one reward is: its file has a function that says it, and the table of all a line with that function.
struct RewardInfo {
  std::string name;
  std::string what;  ///< one line
  std::vector<RewardOptionInfo> options;
  std::unique_ptr<Reward> (*make)(const RewardOptions& options);
  /// Offline: the field that holds a bare attempt when a row has neither completion nor prediction.
  const char* attempt_field = nullptr;

  bool has_option(std::string_view option) const;
  /// False for an option that is the user's alone: a data file may come from anywhere.
  bool takes_from_row(std::string_view option) const;
};

/// RewardInfo::make of a class that reads its options itself, or has none.
template <class R>
std::unique_ptr<Reward> made(const RewardOptions& options) {
  if constexpr (std::is_constructible_v<R, const RewardOptions&>)
    return std::make_unique<R>(options);
  else
    return std::make_unique<R>();
}

/// Every reward.
std::span<const RewardInfo> reward_table();

/// By name; UserError naming the nearest.
const RewardInfo& reward_info(const std::string& name);

/// UserError for an unknown reward, an unknown option (naming the nearest) or a bad value.
std::unique_ptr<Reward> make_reward(const std::string& name,
                                    const std::map<std::string, std::string>& options = {});

/// "NAME[:key=value,...]", such as "soft_overlong:max=512,cache=64". Only the form is checked here.
RewardFunction parse_reward_spec(const std::string& spec);

/// The table as text for --help: a line a reward, a line an option.
std::string reward_help();

}  // namespace aha
