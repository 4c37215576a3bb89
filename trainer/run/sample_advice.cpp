#include "trainer/run/sample_advice.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/run/collect.h"
#include "trainer/run/preflight.h"

namespace aha {
namespace {

constexpr double kMost = 0.5;       // of groups: more than this teach nothing
constexpr double kMany = 0.3;       // of completions cut off
constexpr double kNearly = 0.9;     // of completions cut off: none ends by itself
constexpr double kHardlyAny = 0.1;  // of completions with the format

double share(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(all);
}

std::string share_text(std::int64_t part, std::int64_t all) {
  return fmt::format("{:.0f} % ({} of {})", 100.0 * share(part, all), part, all);
}

void count_completion(SampleCounts& counts, const Completion& completion, const Score& score,
                      std::span<const std::size_t> formats, std::optional<std::size_t> verifier) {
  ++counts.completions;
  counts.tokens += static_cast<double>(completion.length());
  counts.judged += score.accuracy ? 1 : 0;
  counts.accuracy += score.accuracy.value_or(0.0);
  counts.unjudged += score.total ? 0 : 1;
  const bool answered = verifier && !score.parts[*verifier].extracted.empty();
  counts.answered += answered ? 1 : 0;
  if (completion.truncated()) {
    ++counts.truncated;
    counts.truncated_answered += answered ? 1 : 0;
  }
  const bool valid = std::all_of(formats.begin(), formats.end(), [&](std::size_t part) {
    return score.parts[part].score.value_or(1.0) >= 1.0;
  });
  counts.format_valid += !formats.empty() && valid ? 1 : 0;
}

void advise_on_groups(const SampleCounts& c, std::vector<std::string>& lines) {
  if (!c.has_verifier) return;
  if (share(c.all_wrong, c.groups) > kMost)
    lines.push_back(
        fmt::format("advice     too hard: {} of the groups have no right answer (accuracy {:.3f}); "
                    "take easier prompts, warm up by sft, or raise rollout.num_generations",
                    share_text(c.all_wrong, c.groups), c.mean_accuracy()));
  if (share(c.all_right, c.groups) > kMost)
    lines.push_back(
        fmt::format("advice     too easy: {} of the groups are all right (accuracy {:.3f}); take "
                    "harder prompts",
                    share_text(c.all_right, c.groups), c.mean_accuracy()));
}

void advise_on_ends(const SampleCounts& c, std::int64_t limit, std::vector<std::string>& lines) {
  if (share(c.truncated, c.completions) <= kMany) return;
  if (share(c.truncated_answered, c.truncated) > kMost)
    lines.push_back(fmt::format(
        "advice     the end is missed: {} are cut off at {} tokens, and {} of these hold an answer "
        "already; the policy writes on: check that the prompt template is the model's, and its "
        "stop ids (rollout.stop_token_ids, rollout.stop_strings)",
        share_text(c.truncated, c.completions), limit,
        share_text(c.truncated_answered, c.truncated)));
  else
    lines.push_back(fmt::format(
        "advice     too short: {} are cut off at rollout.max_completion_length {}{}; raise it{}",
        share_text(c.truncated, c.completions), limit,
        c.says_answers() ? ", without an answer" : "",
        share(c.truncated, c.completions) >= kNearly
            ? ", or, where the policy never ends by itself, check template and stop ids"
            : ""));
}

}  // namespace

std::string sample_line(const Group& group) {
  const auto& completion = group.completions.front();
  const auto& total = group.scores.front().total;
  return fmt::format("sample     {} -> {} ({} tokens, reward {})", shortened(group.prompt.text),
                     shortened(completion.text), completion.length(),
                     total ? fmt::format("{:g}", *total) : "none");
}

SampleCounts sample_counts(std::span<const Group> groups, const Scorer& scorer) {
  std::vector<std::size_t> formats;
  for (std::size_t i = 0; i < scorer.names().size(); ++i)
    if (scorer.is_format(i)) formats.push_back(i);
  SampleCounts counts;
  counts.has_format = !formats.empty();
  for (const auto& group : groups) {
    const auto verifier = scorer.accuracy_part(group.prompt.source);
    counts.has_verifier = counts.has_verifier || verifier.has_value();
    for (std::size_t i = 0; i < group.scores.size(); ++i)
      count_completion(counts, group.completions[i], group.scores[i], formats, verifier);
    ++counts.groups;
    counts.mixed += has_spread(group) ? 1 : 0;
    const auto all = [&](bool right) {
      return std::all_of(group.scores.begin(), group.scores.end(), [&](const Score& score) {
        return score.accuracy && (*score.accuracy >= 1.0) == right;
      });
    };
    counts.all_right += all(true) ? 1 : 0;
    counts.all_wrong += all(false) ? 1 : 0;
  }
  return counts;
}

std::vector<std::string> sample_lines(const SampleCounts& c, std::int64_t max_completion_length) {
  std::vector<std::string> lines;
  const auto completions = static_cast<double>(std::max<std::int64_t>(1, c.completions));
  lines.push_back(fmt::format("samples    {} completions of {} prompts, {:.0f} tokens on average",
                              c.completions, c.groups, c.tokens / completions));
  lines.push_back("truncated  " + share_text(c.truncated, c.completions));
  if (c.has_format) lines.push_back("format     " + share_text(c.format_valid, c.completions));
  if (c.has_verifier)
    lines.push_back(fmt::format(
        "answers    {}accuracy {:.3f}",
        c.says_answers() ? fmt::format("found in {}, ", share_text(c.answered, c.completions)) : "",
        c.mean_accuracy()));
  lines.push_back(
      fmt::format("groups     {} have rewards that differ: only those teach; all right {}, all "
                  "wrong {}",
                  share_text(c.mixed, c.groups), c.all_right, c.all_wrong));
  if (c.unjudged > 0)
    lines.push_back("unjudged   " + share_text(c.unjudged, c.completions) + " have no reward");
  const auto said = lines.size();
  advise_on_groups(c, lines);
  advise_on_ends(c, max_completion_length, lines);
  if (c.has_format && share(c.format_valid, c.completions) < kHardlyAny)
    lines.push_back(fmt::format(
        "advice     the format is not met: {}; the prompt should ask for it, or sft teach it first",
        share_text(c.format_valid, c.completions)));
  if (lines.size() == said && c.mixed == 0)
    lines.emplace_back(
        "advice     no group teaches: every completion of a prompt is worth the same");
  return lines;
}

}  // namespace aha
