#include "trainer/run/reward_probes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "trainer/core/error.h"
#include "trainer/core/text.h"
#include "trainer/run/preflight.h"
#include "trainer/run/reward_warnings.h"

namespace aha {
namespace {

constexpr std::int64_t kMostPrompts = 200;
constexpr std::int64_t kMostIdeals = 8;
constexpr std::size_t kNamed = 5;
constexpr std::int64_t kMostOutside = 16;  // each may cost a second, or money
constexpr std::int64_t kMostUnjudged = 8;  // from the first on: nothing there judges
constexpr double kByChance = 0.05;         // a copied question may end in its answer

bool is_right(const Score& score) {
  return score.accuracy && *score.accuracy >= 1;
}

/// Tries rewards on completions, and adds a line for each thing found.
class Prober {
 public:
  Prober(const RewardProbes& probes, std::vector<std::string>& lines) : p_(probes), lines_(lines) {}

  void gold_lines();
  void ideal_lines();
  /// How a completion without worth fares over the first prompts: nothing written, or the prompt again.
  void worthless_lines(bool copied);
  void require_judged() const {
    // what is learnt from written completions asks no reward
    if (judged_ == 0 && unjudged_ > 0 && p_.stage.method == "grpo") fail_unjudged();
  }

 private:
  Score score_of(const Prompt& prompt, const std::string& completion, std::span<const TokenId> ids,
                 bool bare = false);
  void count_judged(const Score& score, std::string_view source);
  [[noreturn]] void fail_unjudged() const;
  std::optional<std::string> gold_of(const Prompt& prompt) const;
  std::optional<std::string> ideal_of(const Prompt& prompt) const;
  bool has_full_marks(const Score& score, std::string_view source) const;
  bool falls_short(const Score& score, std::size_t part, std::string_view source) const;
  std::size_t best_layout(const Prompt& prompt, const std::string& ideal);
  std::string score_text(const Score& score) const;
  std::string payers(const Score& score) const;

  std::int64_t rows() const {
    return p_.data.train->size().value_or(std::numeric_limits<std::int64_t>::max());
  }
  std::int64_t prompts_tried(std::int64_t most) const {
    return std::min({rows(), most, p_.scorer.concurrency() > 0 ? kMostOutside : most});
  }

  const RewardProbes& p_;
  std::vector<std::string>& lines_;
  std::int64_t judged_ = 0;
  std::int64_t unjudged_ = 0;
  std::string why_unjudged_;  ///< of the first one
};

/// `ids` of the completion, as far as they are known, without the one that stops it.
Score Prober::score_of(const Prompt& prompt, const std::string& completion,
                       std::span<const TokenId> ids, bool bare) {
  constexpr TokenId kStop = -1;
  std::vector<TokenId> stopped(ids.begin(), ids.end());
  stopped.push_back(kStop);
  const auto length = std::ssize(stopped);
  auto score = p_.scorer.score({.prompt = given_text(prompt),
                                .completion = completion,
                                .row = prompt.fields,
                                .ids = stopped,
                                .length = length,
                                .max_completion_length = p_.stage.rollout.max_completion_length,
                                .group_shortest = length,
                                .group_longest = length,
                                .bare = bare},
                               prompt.source);
  count_judged(score, prompt.source);
  return score;
}

/// A scorer that judges nothing is no fault of the rows that it is tried on.
void Prober::count_judged(const Score& score, std::string_view source) {
  if (score.total && (score.accuracy || !p_.scorer.accuracy_part(source))) {
    ++judged_;
    return;
  }
  ++unjudged_;
  for (std::size_t i = 0; i < score.parts.size() && why_unjudged_.empty(); ++i)
    if (!score.parts[i].score && score.parts[i].reason != kNotForSource)
      why_unjudged_ = fmt::format("{}: {}", p_.scorer.names()[i], score.parts[i].reason);
  if (why_unjudged_.empty())
    why_unjudged_ = fmt::format("its source is '{}', which is among no reward's sources", source);
  if (unjudged_ >= kMostUnjudged) require_judged();
}

void Prober::fail_unjudged() const {
  fail("none of the {} completions that the rewards were tried on could be judged; the first: {}",
       unjudged_, why_unjudged_);
}

/// The answer of a file's row; nothing where it has none.
std::optional<std::string> Prober::gold_of(const Prompt& prompt) const {
  const auto answer = prompt.fields.find(p_.stage.data.answer_field);
  return answer == prompt.fields.end() ? std::nullopt : std::optional(field_text(*answer));
}

/// A completion that ought to be right; nothing where there is no gold to make one from.
std::optional<std::string> Prober::ideal_of(const Prompt& prompt) const {
  if (p_.data.task) return p_.data.task->ideal(prompt.fields);
  const auto gold = gold_of(prompt);
  if (!gold) return std::nullopt;
  return p_.data.train->prompt_template().ideal(*gold, prompt.text);
}

std::string Prober::score_text(const Score& score) const {
  auto text = fmt::format("reward {}", score.total ? fmt::format("{:g}", *score.total) : "none");
  for (std::size_t i = 0; i < score.parts.size(); ++i)
    text += fmt::format(", {} {}", p_.scorer.names()[i],
                        score.parts[i].score ? fmt::format("{:g}", *score.parts[i].score)
                                             : "none (" + score.parts[i].reason + ")");
  return text;
}

/// Whether "accuracy", or a verifier or format that is paid for, gives less than 1.
bool Prober::falls_short(const Score& score, std::size_t part, std::string_view source) const {
  const auto& scorer = p_.scorer;
  const bool paid = (scorer.is_format(part) || scorer.is_verifier(part)) && scorer.weight(part) > 0;
  return (paid || part == scorer.accuracy_part(source)) && scorer.applies(part, source) &&
         score.parts[part].score && *score.parts[part].score < 1;
}

bool Prober::has_full_marks(const Score& score, std::string_view source) const {
  for (std::size_t i = 0; i < score.parts.size(); ++i)
    if (falls_short(score, i, source)) return false;
  return true;
}

/// Of the ways to set the tags, the first with full marks, else the one that is paid most.
std::size_t Prober::best_layout(const Prompt& prompt, const std::string& ideal) {
  const auto layouts = tag_layouts(ideal);
  std::size_t best = 0;
  std::optional<double> most;
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    if (!layouts[i].starts_with(prompt.prefill)) continue;
    const auto score = score_of(prompt, layouts[i], p_.tokenizer.encode(layouts[i]));
    if (has_full_marks(score, prompt.source)) return i;
    if (score.total <= most) continue;  // nothing is less than any number
    most = score.total;
    best = i;
  }
  return best;
}

void Prober::ideal_lines() {
  struct Short {
    std::int64_t rows = 0;
    std::string first;
  };
  std::vector<Short> shorts(p_.scorer.names().size());
  std::optional<std::size_t> layout;
  std::int64_t tried = 0;
  for (std::int64_t i = 0; i < prompts_tried(kMostIdeals); ++i) {
    const Prompt prompt = p_.data.train->prompt(i);
    auto ideal = ideal_of(prompt);
    if (!ideal) continue;
    if (!layout) layout = best_layout(prompt, *ideal);
    ideal = tag_layouts(*ideal)[*layout];
    const Score score = score_of(prompt, *ideal, p_.tokenizer.encode(*ideal));
    if (++tried == 1)
      lines_.push_back(fmt::format("ideal      {} gets {}", shortened(*ideal), score_text(score)));
    for (std::size_t part = 0; part < shorts.size(); ++part) {
      if (!falls_short(score, part, prompt.source) || ++shorts[part].rows > 1) continue;
      const auto& said = score.parts[part];
      shorts[part].first =
          fmt::format("{:g} ({}), first {}", *said.score, said.reason, p_.data.train->where(i));
    }
  }
  if (tried == 0) lines_.emplace_back("ideal      no gold in these rows to make one from");
  for (std::size_t part = 0; part < shorts.size(); ++part)
    if (shorts[part].rows > 0)
      lines_.push_back(fmt::format(
          "warning    what the prompt asks for is not right to the reward: on {} of {} rows {} "
          "gives the ideal completion {}",
          shorts[part].rows, tried, p_.scorer.names()[part], shorts[part].first));
}

void Prober::gold_lines() {
  const auto& train = *p_.data.train;
  if (p_.data.task || !train.size()) return;
  const auto rows_tried = p_.scorer.waits() ? std::min(rows(), kMostOutside) : rows();
  std::int64_t with_gold = 0;
  std::int64_t unjudged = 0;
  std::int64_t wrong = 0;
  bool hopeless = false;
  std::vector<std::string> first;
  for (std::int64_t i = 0; i < rows_tried; ++i) {
    const Prompt prompt = train.prompt(i);
    const auto gold = gold_of(prompt);
    if (!gold || !p_.scorer.accuracy_part(prompt.source)) continue;
    ++with_gold;
    const auto bare = score_of(prompt, *gold, {}, true);
    if (is_right(bare)) continue;
    const auto ideal = score_of(prompt, *ideal_of(prompt), {});
    if (is_right(ideal)) continue;
    if (!bare.accuracy && !ideal.accuracy) {
      ++unjudged;
      continue;
    }
    ++wrong;
    hopeless = hopeless || p_.scorer.compares_with_gold(prompt.source);
    if (first.size() < kNamed)
      first.push_back(fmt::format("{}: {}", train.where(i), shortened(*gold, 80)));
  }
  if (with_gold == 0) return;
  lines_.push_back(fmt::format("gold       {} of {} golds are right when they are the answer{}",
                               with_commas(with_gold - wrong - unjudged), with_commas(with_gold),
                               unjudged > 0 ? fmt::format(", {} not judged", unjudged) : ""));
  if (hopeless && wrong > p_.stage.data.max_invalid)
    fail(
        "{}\n{} of {} golds are not right even when they are the answer, so that no answer to them "
        "is paid: mend these rows or the reward's options, or keep them by data.max_invalid: {}",
        fmt::join(first, "\n"), with_commas(wrong), with_commas(with_gold), wrong);
  if (wrong > 0)
    lines_.push_back(
        fmt::format("warning    such a row cannot be solved: the first is {}", first[0]));
}

/// The rewards that add to a total.
std::string Prober::payers(const Score& score) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < score.parts.size(); ++i)
    if (score.parts[i].score && *score.parts[i].score * p_.scorer.weight(i) > 0)
      names.push_back(p_.scorer.names()[i]);
  return fmt::format("{}", fmt::join(names, ", "));
}

void Prober::worthless_lines(bool copied) {
  const auto& train = *p_.data.train;
  const std::int64_t prompts = prompts_tried(kMostPrompts);
  std::int64_t paid = 0;
  std::int64_t right = 0;
  std::string first;
  std::string by;
  for (std::int64_t i = 0; i < prompts; ++i) {
    const Prompt prompt = train.prompt(i);
    const Score score = copied ? score_of(prompt, prompt.prefill + prompt.text, prompt.ids)
                               : score_of(prompt, prompt.prefill, {});
    if (is_right(score) && ++right == 1) first = ", first " + train.where(i);
    if (score.total && *score.total > 0 && ++paid == 1) by = payers(score);
  }
  lines_.push_back(fmt::format("{:<10} a reward above 0 on {} of {} prompts, right on {}{}",
                               copied ? "copied" : "empty", paid, prompts, right, first));
  const char* what = copied ? "a copy of the prompt" : "an empty completion";
  const auto too_often = [&](std::int64_t count) {
    return static_cast<double>(count) > kByChance * static_cast<double>(prompts);
  };
  if (too_often(right))
    lines_.push_back(fmt::format("warning    {} should not be right", what));
  else if (too_often(paid))
    lines_.push_back(fmt::format("warning    {} should not be paid, as {} does", what, by));
}

}  // namespace

std::vector<std::string> reward_probe_lines(const RewardProbes& probes) {
  std::vector<std::string> lines;
  Prober prober(probes, lines);
  prober.gold_lines();
  prober.ideal_lines();
  prober.worthless_lines(false);
  prober.worthless_lines(true);
  prober.require_judged();
  for (auto& line : reward_warning_lines(probes.stage, probes.data, probes.scorer))
    lines.push_back(std::move(line));
  return lines;
}

}  // namespace aha
