#include "rewards/format.h"

#include <algorithm>
#include <array>
#include <vector>

#include "rewards/correctness.h"
#include "rewards/decimal.h"
#include "rewards/registry.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr auto kNone = std::string_view::npos;

FormatVerdict think_answer(std::string_view text) {
  constexpr std::string_view kThink = "<think>";
  constexpr std::string_view kThinkEnd = "</think>";
  constexpr std::string_view kAnswer = "<answer>";
  constexpr std::string_view kAnswerEnd = "</answer>";
  for (const auto tag : {kThink, kThinkEnd, kAnswer, kAnswerEnd}) {
    if (count_of(text, tag) != 1) return {0.0, "each of the four tags must occur once"};
  }
  text = trimmed(text);
  const auto think_end = text.find(kThinkEnd);
  const auto answer = text.find(kAnswer);
  if (!text.starts_with(kThink) || !text.ends_with(kAnswerEnd) || answer < think_end)
    return {0.0, "not <think>...</think> <answer>...</answer>"};
  const auto blank = [&](std::size_t from, std::size_t to) {
    return trimmed(text.substr(from, to - from)).empty();
  };
  if (!blank(think_end + kThinkEnd.size(), answer))
    return {0.0, "text between </think> and <answer>"};
  if (blank(kThink.size(), think_end)) return {0.0, "nothing thought"};
  if (blank(answer + kAnswer.size(), text.size() - kAnswerEnd.size()))
    return {0.0, "nothing answered"};
  return {1.0, "right"};
}

FormatVerdict hash_answer(std::string_view text) {
  constexpr std::string_view kMark = "####";
  if (count_of(text, kMark) != 1) return {0.0, "#### must occur once"};
  const auto rest = text.substr(text.find(kMark) + kMark.size());
  const auto number = first_number(rest);
  if (!number || !trimmed(rest.substr(0, number->begin)).empty())
    return {0.0, "no number after ####"};
  return {1.0, "right"};
}

FormatVerdict open_r1_format(std::string_view text) {
  constexpr std::string_view kHead = "<think>\n";
  constexpr std::string_view kMiddle = "\n</think>\n<answer>\n";
  constexpr std::string_view kTail = "\n</answer>";
  if (!text.starts_with(kHead)) return {0.0, "does not start with <think> and a newline"};
  const auto middle = text.find(kMiddle, kHead.size());
  if (middle == kNone) return {0.0, "no </think> and <answer> on lines of their own"};
  for (auto tail = text.find(kTail, middle + kMiddle.size()); tail != kNone;
       tail = text.find(kTail, tail + 1)) {
    const auto end = tail + kTail.size();
    if (end == text.size() || text[end] == '\n') return {1.0, "right"};
  }
  return {0.0, "no </answer> on a line of its own"};
}

FormatVerdict open_r1_tag_count(std::string_view text) {
  double score = 0.0;
  for (const auto* tag : {"<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"})
    score += count_of(text, tag) == 1 ? 0.25 : 0.0;
  return {score, score == 1.0 ? "right" : "a tag is missing or repeated"};
}

FormatVerdict trl_think_format(std::string_view text) {
  constexpr std::string_view kOpen = "<think>";
  if (!text.starts_with(kOpen)) return {0.0, "does not start with <think>"};
  if (text.find(kOpen, kOpen.size()) != kNone) return {0.0, "a second <think>"};
  if (text.find("</think>", kOpen.size()) == kNone) return {0.0, "no </think>"};
  return {1.0, "right"};
}

bool has_block(std::string_view text, std::string_view open, std::string_view close) {
  const auto start = text.find(open);
  return start != kNone && text.find(close, start + open.size()) != kNone;
}

FormatVerdict nemo_rl_format(std::string_view text) {
  const bool think = has_block(text, "<think>", "</think>");
  const bool answer = has_block(text, "<answer>", "</answer>");
  if (think && answer) return {1.0, "right"};
  if (think) return {0.25, "no answer block"};
  return answer ? FormatVerdict{0.75, "no think block"} : FormatVerdict{0.0, "no block"};
}

/// What the answer block of <think>...</think>\n<answer>...</answer> holds, no think tag inside the
/// first block and nothing after the last one but one newline.
std::optional<std::string_view> strict_answer(std::string_view text) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kMiddle = "</think>\n<answer>";
  constexpr std::string_view kTail = "</answer>";
  if (!text.starts_with(kOpen)) return std::nullopt;
  const auto close = text.find("</think>", kOpen.size());
  if (close == kNone || text.find(kOpen, kOpen.size()) < close) return std::nullopt;
  if (!text.substr(close).starts_with(kMiddle)) return std::nullopt;
  auto rest = text.substr(close + kMiddle.size());
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (!rest.ends_with(kTail)) return std::nullopt;
  return rest.substr(0, rest.size() - kTail.size());
}

FormatVerdict mini_r1_format(std::string_view text) {
  return strict_answer(text) ? FormatVerdict{1.0, "right"}
                             : FormatVerdict{0.0, "not <think>...</think>\\n<answer>...</answer>"};
}

FormatVerdict nano_aha_format(std::string_view text) {
  const auto answer = strict_answer(text);
  if (!answer) return {0.0, "not <think>...</think>\\n<answer>...</answer>"};
  const auto allowed = [](char c) {
    return is_digit(c) || is_space(c) || std::string_view("+-*/().").find(c) != kNone;
  };
  const auto content = trimmed(*answer);
  if (content.empty() || !std::all_of(content.begin(), content.end(), allowed))
    return {0.5, "more than arithmetic in the answer"};
  return {1.0, "right"};
}

FormatVerdict oat_answer_tag(std::string_view text) {
  const bool right = text.find("</think> <answer>") != kNone && text.find("</answer>") != kNone;
  return right ? FormatVerdict{1.0, "right"}
               : FormatVerdict{0.0, "no '</think> <answer>' with '</answer>'"};
}

constexpr std::array kVariants = {
    FormatVariant{"think_answer", "<think>...</think> <answer>...</answer> and nothing else",
                  think_answer},
    FormatVariant{"hash_answer", "#### once, and a number after it", hash_answer},
    FormatVariant{"open-r1.format_reward", "think and answer tags on lines of their own",
                  open_r1_format},
    FormatVariant{"open-r1.tag_count_reward", "a quarter for each tag that occurs once",
                  open_r1_tag_count},
    FormatVariant{"trl.think_format_reward", "one think block at the start", trl_think_format},
    FormatVariant{"nemo_rl.format_reward", ".25 for a think block, .75 for an answer block",
                  nemo_rl_format},
    FormatVariant{"mini-r1.format_reward", "<think>...</think>\\n<answer>...</answer> exactly",
                  mini_r1_format},
    FormatVariant{"nano-aha.format_reward", "mini-r1's; half if the answer is not arithmetic",
                  nano_aha_format},
    FormatVariant{"oat.answer_tag_format", "'</think> <answer>' and '</answer>' occur",
                  oat_answer_tag},
};

class FormatReward final : public CorrectnessReward {
 public:
  FormatReward(const FormatVariant& variant, std::optional<Correctness> correctness)
      : CorrectnessReward(std::move(correctness)), variant_(variant) {}

  bool is_format() const override { return true; }

  RewardPart score(const Attempt& attempt) const override {
    const auto verdict = variant_.rule(attempt.completion);
    if (asks() && verdict.score > 0) {
      const auto [right, problem] = asks()->of(attempt);
      if (!right) return {std::nullopt, "", problem};
      if (!*right) return {0.0, "", "the answer is wrong", 1};
    }
    return {verdict.score, "", verdict.reason, 1};
  }

 private:
  const FormatVariant& variant_;
};

const FormatVariant& variant_of(const std::string& name) {
  const auto* found = std::find_if(kVariants.begin(), kVariants.end(),
                                   [&](const FormatVariant& v) { return name == v.name; });
  check(found != kVariants.end(), "a format variant is in the table");
  return *found;
}

std::unique_ptr<Reward> make_format_reward(const RewardOptions& options) {
  std::vector<std::string> names;
  names.reserve(std::size(kVariants));
  for (const auto& variant : kVariants)
    names.emplace_back(variant.name);
  const auto& variant = variant_of(options.choice("variant", names));
  std::optional<Correctness> correctness;
  if (!options.text("verifier").empty()) correctness.emplace(options);
  return std::make_unique<FormatReward>(variant, std::move(correctness));
}

/// The rule of one variant under its own name, without options.
std::unique_ptr<Reward> make_published_format(const RewardOptions& options) {
  return std::make_unique<FormatReward>(variant_of(options.reward()), std::nullopt);
}

}  // namespace

std::span<const FormatVariant> format_variants() {
  return kVariants;
}

std::vector<RewardInfo> published_formats() {
  std::vector<RewardInfo> formats;
  for (const auto& variant : kVariants)
    if (std::string_view(variant.name).find('.') != kNone)
      formats.push_back({variant.name, variant.what, {}, make_published_format});
  return formats;
}

/// The rule that option `variant` names. Option `verifier`, when it names one, gates the rule: a wrong
/// answer scores 0 whatever its shape, so that format alone cannot pay.
RewardInfo format_reward() {
  return {"format",
          "the shape of the text",
          {{"variant", "think_answer", "think_answer, hash_answer or a published rule below"},
           {"verifier", "", "NAME[:key=value]: the format counts only where the answer is right",
            false},
           {"answer_field", "answer", "the row's field with the gold, for the verifier"}},
          make_format_reward};
}

}  // namespace aha
