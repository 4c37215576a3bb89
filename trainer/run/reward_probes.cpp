#include "trainer/run/reward_probes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/run/preflight.h"

namespace aha {
namespace {

constexpr std::int64_t kMostGolds = 2000;
constexpr std::int64_t kMostPrompts = 200;
constexpr std::size_t kNamed = 5;
constexpr std::int64_t kMostOutside = 16;  // each may cost a second, or money
constexpr double kByChance = 0.05;         // a copied question may end in its answer

/// `ids` of the completion, as far as they are known, without the one that stops it.
Score score_of(const RewardProbes& p, const Prompt& prompt, const std::string& completion,
               std::span<const TokenId> ids, bool bare = false) {
  constexpr TokenId kStop = -1;
  std::vector<TokenId> stopped(ids.begin(), ids.end());
  stopped.push_back(kStop);
  const auto length = std::ssize(stopped);
  return p.scorer.score({.prompt = given_text(prompt),
                         .completion = completion,
                         .row = prompt.fields,
                         .ids = stopped,
                         .length = length,
                         .max_completion_length = p.stage.rollout.max_completion_length,
                         .group_shortest = length,
                         .group_longest = length,
                         .bare = bare},
                        prompt.source);
}

/// Rows to try of at most `most`.
std::int64_t rows_tried(const RewardProbes& p, std::int64_t rows, std::int64_t most) {
  return std::min(rows, p.scorer.concurrency() > 0 ? kMostOutside : most);
}

bool is_right(const Score& score) {
  return score.accuracy && *score.accuracy > 0;
}

/// The answer of a file's row; nothing where it has none.
std::optional<std::string> gold_of(const RewardProbes& p, const Prompt& prompt) {
  const auto answer = prompt.fields.find(p.stage.data.answer_field);
  return answer == prompt.fields.end() ? std::nullopt : std::optional(field_text(*answer));
}

/// A completion that ought to be right; nothing where there is no gold to make one from.
std::optional<std::string> ideal_of(const RewardProbes& p, const Prompt& prompt) {
  if (p.data.task) return p.data.task->ideal(prompt.fields);
  const auto gold = gold_of(p, prompt);
  if (!gold) return std::nullopt;
  return p.data.train->prompt_template().ideal(*gold, prompt.text);
}

std::string score_text(const RewardProbes& p, const Score& score) {
  auto text = fmt::format("reward {}", score.total ? fmt::format("{:g}", *score.total) : "none");
  for (std::size_t i = 0; i < score.parts.size(); ++i)
    text += fmt::format(", {} {}", p.scorer.names()[i],
                        score.parts[i].score ? fmt::format("{:g}", *score.parts[i].score)
                                             : "none (" + score.parts[i].reason + ")");
  return text;
}

void ideal_lines(const RewardProbes& p, std::vector<std::string>& lines) {
  const Prompt prompt = p.data.train->prompt(0);
  const auto ideal = ideal_of(p, prompt);
  if (!ideal) {
    lines.emplace_back("ideal      no gold in this row to make one from");
    return;
  }
  const Score score = score_of(p, prompt, *ideal, p.tokenizer.encode(*ideal));
  lines.push_back(fmt::format("ideal      {} gets {}", shortened(*ideal), score_text(p, score)));
  if (score.accuracy && *score.accuracy < 1)
    lines.emplace_back(
        "warning    what the prompt asks for is not right to the reward: they disagree on where "
        "the answer stands");
}

void gold_lines(const RewardProbes& p, std::vector<std::string>& lines) {
  const auto& train = *p.data.train;
  const std::int64_t rows = rows_tried(p, train.size().value_or(0), kMostGolds);
  if (p.data.task || rows == 0) return;
  std::int64_t with_gold = 0;
  std::int64_t wrong = 0;
  bool hopeless = false;
  std::vector<std::string> first;
  for (std::int64_t i = 0; i < rows; ++i) {
    const Prompt prompt = train.prompt(i);
    const auto gold = gold_of(p, prompt);
    if (!gold || !p.scorer.accuracy_part(prompt.source)) continue;
    ++with_gold;
    if (is_right(score_of(p, prompt, *gold, {}, true)) ||
        is_right(score_of(p, prompt, *ideal_of(p, prompt), {})))
      continue;
    ++wrong;
    hopeless = hopeless || p.scorer.compares_with_gold(prompt.source);
    if (first.size() < kNamed)
      first.push_back(fmt::format("{}: {}", train.where(i), shortened(*gold, 80)));
  }
  if (with_gold == 0) return;
  lines.push_back(fmt::format("gold       {} of {} golds are right when they are the answer",
                              with_commas(with_gold - wrong), with_commas(with_gold)));
  if (hopeless && wrong > p.stage.data.max_invalid)
    fail(
        "{}\n{} of {} golds are not right even when they are the answer, so that no answer to them "
        "is paid: mend these rows or the reward's options, or keep them by data.max_invalid: {}",
        fmt::join(first, "\n"), with_commas(wrong), with_commas(with_gold), wrong);
  if (wrong > 0)
    lines.push_back(
        fmt::format("warning    such a row cannot be solved: the first is {}", first[0]));
}

/// How a completion without worth fares over the first prompts: nothing written, or the prompt again.
void worthless_lines(const RewardProbes& p, bool copied, std::vector<std::string>& lines) {
  const auto& train = *p.data.train;
  const std::int64_t prompts = rows_tried(p, train.size().value_or(kMostPrompts), kMostPrompts);
  const char* name = copied ? "copied" : "empty";
  std::int64_t paid = 0;
  std::int64_t right = 0;
  std::string first;
  for (std::int64_t i = 0; i < prompts; ++i) {
    const Prompt prompt = train.prompt(i);
    const Score score = copied ? score_of(p, prompt, prompt.prefill + prompt.text, prompt.ids)
                               : score_of(p, prompt, prompt.prefill, {});
    paid += score.total && *score.total > 0 ? 1 : 0;
    right += is_right(score) ? 1 : 0;
    if (is_right(score) && first.empty()) first = train.where(i);
  }
  lines.push_back(fmt::format("{:<10} a reward above 0 on {} of {} prompts, right on {}{}", name,
                              paid, prompts, right, first.empty() ? "" : ", first " + first));
  if (static_cast<double>(right) > kByChance * static_cast<double>(prompts))
    lines.push_back(fmt::format("warning    {} should not be right",
                                copied ? "a copy of the prompt" : "an empty completion"));
}

}  // namespace

std::vector<std::string> reward_probe_lines(const RewardProbes& probes) {
  std::vector<std::string> lines;
  gold_lines(probes, lines);
  ideal_lines(probes, lines);
  worthless_lines(probes, false, lines);
  worthless_lines(probes, true, lines);
  return lines;
}

}  // namespace aha
