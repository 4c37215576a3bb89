#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace aha {

/// The options of one reward, defaults filled in, read by its factory. Getters name the reward, the
/// option and what would be right in their UserError.
class RewardOptions {
 public:
  /// `values` holds every option that the reward knows.
  RewardOptions(std::string reward, std::map<std::string, std::string> values)
      : reward_(std::move(reward)), values_(std::move(values)) {}

  const std::string& text(const std::string& name) const;
  /// One of `allowed`.
  const std::string& choice(const std::string& name, std::span<const std::string> allowed) const;
  /// A whole number >= `least`.
  std::int64_t whole(const std::string& name, std::int64_t least) const;
  /// A finite number.
  double number(const std::string& name) const;
  /// true or false.
  bool flag(const std::string& name) const;
  const std::string& reward() const { return reward_; }

 private:
  std::string reward_;
  std::map<std::string, std::string> values_;
};

}  // namespace aha
