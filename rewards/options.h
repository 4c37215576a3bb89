#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
  /// The same, and at most `most`.
  std::int64_t whole(const std::string& name, std::int64_t least, std::int64_t most) const;
  /// A finite number.
  double number(const std::string& name) const;
  /// A time in seconds: above 0, at most a day.
  double seconds(const std::string& name) const;
  /// A list of at least one text, as JSON writes it (a list of the configuration is kept so), or a text
  /// cut at white space, in which '...' and "..." hold what is not to be cut. Nothing else is special.
  std::vector<std::string> words(const std::string& name) const;
  /// true or false.
  bool flag(const std::string& name) const;
  const std::string& reward() const { return reward_; }

 private:
  std::string reward_;
  std::map<std::string, std::string> values_;
};

}  // namespace aha
