#include "rewards/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

std::optional<std::vector<std::string>> list_of(const std::string& json) {
  const auto list = Json::parse(json, nullptr, false);
  if (!list.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& item : list) {
    if (!item.is_string()) return std::nullopt;
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

/// Nothing where a quotation mark is not closed.
std::optional<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool within = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_space(c)) {
      within = false;
      continue;
    }
    if (!within) words.emplace_back();
    within = true;
    if (c != '"' && c != '\'') {
      words.back() += c;
      continue;
    }
    const auto end = text.find(c, i + 1);
    if (end == std::string_view::npos) return std::nullopt;
    words.back() += text.substr(i + 1, end - i - 1);
    i = end;
  }
  return words;
}

}  // namespace

const std::string& RewardOptions::text(const std::string& name) const {
  const auto found = values_.find(name);
  check(found != values_.end(), "a reward reads only options that the table lists");
  return found->second;
}

const std::string& RewardOptions::choice(const std::string& name,
                                         std::span<const std::string> allowed) const {
  const auto& value = text(name);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    fail("reward '{}': option '{}' is '{}', expected one of {}", reward_, name, value,
         join_list(allowed));
  }
  return value;
}

std::int64_t RewardOptions::whole(const std::string& name, std::int64_t least) const {
  const auto& value = text(name);
  std::int64_t parsed = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc() || stop != end || parsed < least) {
    fail("reward '{}': option '{}' is '{}', expected a whole number of at least {}", reward_, name,
         value, least);
  }
  return parsed;
}

std::int64_t RewardOptions::whole(const std::string& name, std::int64_t least,
                                  std::int64_t most) const {
  const auto value = whole(name, least);
  if (value > most)
    fail("reward '{}': option '{}' is {}, expected at most {}", reward_, name, value, most);
  return value;
}

double RewardOptions::seconds(const std::string& name) const {
  constexpr double kDay = 86400;
  const double value = number(name);
  if (value <= 0 || value > kDay)
    fail("reward '{}': option '{}' is {}, expected seconds above 0 and at most {}", reward_, name,
         value, kDay);
  return value;
}

std::vector<std::string> RewardOptions::words(const std::string& name) const {
  const auto& value = text(name);
  auto found = value.starts_with('[') ? list_of(value) : words_of(value);
  if (!found || found->empty())
    fail("reward '{}': option '{}' is '{}', expected a list of words, as in [python3, scorer.py]",
         reward_, name, value);
  return std::move(*found);
}

double RewardOptions::number(const std::string& name) const {
  const auto& value = text(name);
  double parsed = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, parsed);
  if (error != std::errc() || stop != end || !std::isfinite(parsed)) {
    fail("reward '{}': option '{}' is '{}', expected a number", reward_, name, value);
  }
  return parsed;
}

bool RewardOptions::flag(const std::string& name) const {
  const std::array<std::string, 2> allowed = {"true", "false"};
  return choice(name, allowed) == "true";
}

}  // namespace aha
