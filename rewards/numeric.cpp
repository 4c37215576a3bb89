#include "rewards/numeric.h"

#include <fmt/format.h>

#include <array>

#include "rewards/decimal.h"
#include "rewards/registry.h"
#include "rewards/row_fields.h"
#include "rewards/text_scan.h"

namespace aha {
namespace {

constexpr std::string_view kMark = "####";

/// What follows the last mark; the whole text without one.
std::string_view after_mark(std::string_view text) {
  const auto mark = text.rfind(kMark);
  return mark == std::string_view::npos ? text : text.substr(mark + kMark.size());
}

std::string_view without_spaces_behind(std::string_view text) {
  while (text.ends_with(' '))
    text.remove_suffix(1);
  return text;
}

/// A number with the sign that spaces stand behind: "#### - 5", "is - 5"; but not "10 - 5", nor "- 5 apples" in a list.
WrittenNumber with_spaced_sign(std::string_view text, WrittenNumber number) {
  constexpr std::string_view kMinusSign = "\xE2\x88\x92";  // U+2212
  auto before = text.substr(0, number.begin);
  if (!before.ends_with(' ') || number.value == "0" || number.value.starts_with('-')) return number;
  before = without_spaces_behind(before);
  const std::size_t sign = before.ends_with('-') ? 1 : before.ends_with(kMinusSign) ? 3 : 0;
  if (sign == 0) return number;
  before.remove_suffix(sign);
  const auto begin = before.size();
  if (begin > 0 && !before.ends_with(' ')) return number;  // "A- 5"
  before = without_spaces_behind(before);
  if (before.ends_with('\n') || before.ends_with(')')) return number;
  if (!before.empty() && is_digit(before.back())) return number;
  return {begin, number.end, "-" + number.value};
}

class NumericReward final : public Reward {
 public:
  NumericReward(bool tagged, std::string answer_field)
      : tagged_(tagged), answer_field_(std::move(answer_field)) {}

  bool is_verifier() const override { return true; }

  std::optional<std::string> gold_problem(const Json& row) const override {
    const auto gold = text_field(row, answer_field_);
    if (!gold) return fmt::format("'{}' is missing or not a text or number", answer_field_);
    if (!sole_number(after_mark(*gold)))
      return fmt::format("'{}' is not one number: '{}'", answer_field_,
                         clipped(trimmed(after_mark(*gold))));
    return std::nullopt;
  }

  RewardPart score(const Attempt& attempt) const override {
    if (auto problem = gold_problem(attempt.row)) return {std::nullopt, "", *problem};
    const auto gold = *sole_number(after_mark(*text_field(attempt.row, answer_field_)));
    const auto text = after_thought(attempt.completion);
    std::string_view from = text;
    std::optional<WrittenNumber> number;
    bool ended = !attempt.truncated;
    if (tagged_ && !attempt.bare) {
      const auto answer = last_tagged(text, "answer");
      if (!answer) return {0.0, "", "no <answer>...</answer>"};
      from = *answer;
      number = last_number(from);
      ended = true;
    } else if (const auto rest = after_mark(text); rest.size() < text.size()) {
      from = rest;
      number = first_number(from);
      // ",0" or ".5" may still be growing into the same number
      ended = ended || (number && from.find_first_not_of(".,0123456789", number->end) !=
                                      std::string_view::npos);
    } else {
      number = last_number(from);
    }
    if (!number) return {0.0, "", "no number"};
    number = with_spaced_sign(from, *number);
    RewardPart part{0.0, clipped(from.substr(number->begin, number->end - number->begin)), "", 1};
    const bool right = number->value == gold;
    if (!ended) {
      part.reason = "truncated";
    } else {
      part.score = right ? 1.0 : 0.0;
      part.reason = right ? "right" : fmt::format("{}, wanted {}", clipped(number->value), gold);
    }
    return part;
  }

 private:
  bool tagged_;
  std::string answer_field_;
};

}  // namespace

std::unique_ptr<Reward> make_numeric_reward(const RewardOptions& options) {
  const std::array<std::string, 2> allowed = {"last", "answer_tag"};
  return std::make_unique<NumericReward>(options.choice("extraction", allowed) == "answer_tag",
                                         options.text("answer_field"));
}

RewardInfo numeric_reward() {
  return {"numeric",
          "the number after ####, else the last one, equals the gold",
          {{"extraction", "last", "last: see above; answer_tag: in the last <answer>...</answer>"},
           {"answer_field", "answer", "the row's field with the gold"}},
          make_numeric_reward};
}

}  // namespace aha
