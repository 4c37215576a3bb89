#include "rewards/registry.h"

#include <algorithm>

#include "rewards/code/code_reward.h"
#include "rewards/cosine_length.h"
#include "rewards/countdown.h"
#include "rewards/countdown_wait.h"
#include "rewards/external/command_reward.h"
#include "rewards/external/http_reward.h"
#include "rewards/format.h"
#include "rewards/group_length.h"
#include "rewards/language.h"
#include "rewards/length.h"
#include "rewards/math/math_reward.h"
#include "rewards/numeric.h"
#include "rewards/parity.h"
#include "rewards/repetition.h"
#include "rewards/soft_overlong.h"
#include "trainer/core/error.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

std::unique_ptr<Reward> make_published_format(const RewardOptions& options) {
  return make_format_variant(options.reward());
}

std::vector<RewardInfo> all_rewards() {  // NOLINT(readability-function-size): a table
  std::vector<RewardInfo> table = {
      {"countdown",
       "an expression that uses each of `nums` once and equals `target`",
       {{"extraction", "answer_tag", "answer_tag: the last <answer>...</answer>; bare: the text"}},
       make_countdown_reward,
       "answer"},
      {"countdown_wait",
       "ends in `=> a o b o c`, each of `nums` once, equal to `target` from the left",
       {{"operators", "+-*", "operators that count"}},
       make_countdown_wait_reward},
      {"parity", "ends in `= y`, y the row's `answer`", {}, make_parity_reward},
      {"numeric",
       "the number after ####, else the last one, equals the gold",
       {{"extraction", "last", "last: see above; answer_tag: in the last <answer>...</answer>"},
        {"answer_field", "answer", "the row's field with the gold"}},
       make_numeric_reward},
      {"math",
       "the answer means the same as the gold, as mathematics or as words",
       {{"extraction", "auto",
         "auto, boxed, answer_tag, hash, final_answer, last, whole, answer_line, choice, "
         "code_block, or "
         "a benchmark: see rewards/README.md"},
        {"answer_field", "answer", "the row's field with the gold"},
        {"precision", "6", "decimals at which numbers with a decimal point are compared"},
        {"percent", "fraction", "fraction: 28% is 0.28; number: 28% is 28"},
        {"list_order", "free", "free: '1, 2' is '2, 1'; kept: it is not"}},
       make_math_reward},
      {"code",
       "the last block of code passes the row's tests, in a sandbox",
       {{"language", "auto", "auto: as the block is tagged; python; cpp"},
        {"tests_field", "tests", "the row's field with the tests; rewards/README.md has the forms"},
        {"credit", "all", "all: 1 for all tests, else 0; partial: the share of those passed"},
        {"compare", "lines", "lines: white space at ends does not count; words; exact"},
        {"max_tests", "0", "the first tests alone; 0: all"},
        {"time_limit_s", "10", "processor time of a test; by the clock 10 s and four times this"},
        {"memory_mb", "1024", "address space of a test"},
        {"python", "python3", "a program, by name or path", false},
        {"compiler", "g++", "a program, by name or path", false},
        {"cpp_assertions", "false",
         "true: run assertions in C++, which an answer can pass without solving them", false},
        {"allow_no_isolation", "false", "true: run programs even where nothing can hold them",
         false}},
       make_code_reward},
      {"command",
       "what a program of yours says, over pipes; rewards/README.md has the lines",
       {{"command", "", "the program and its words, a list or a text; no shell", false},
        {"copies", "1", "processes", false},
        {"in_flight", "1", "requests that a copy may have before it answers one", false},
        {"answer_limit_s", "10", "for an answer; then the copy is started again", false},
        {"start_limit_s", "60", "from its start to its greeting", false},
        {"retries", "1", "of a completion whose copy ended", false},
        {"verifier", "true", "whether it tells right from wrong", false}},
       make_command_reward},
      {"http",
       "what a server of yours says, by POST; rewards/README.md has the bodies",
       {{"url", "", "http:// or https://; certificates are always verified", false},
        {"concurrency", "8", "requests at a time", false},
        {"answer_limit_s", "10", "for an answer, with all tries", false},
        {"retries", "3", "of a failed connection, 429 and 5xx", false},
        {"ca_file", "", "trusted certificates instead of the system's", false},
        {"token_env", "", "environment variable with a bearer token", false},
        {"proxy", "environment", "environment (http_proxy, ...), none, or a URL", false},
        {"verifier", "true", "whether it tells right from wrong", false}},
       make_http_reward},
      {"format",
       "the shape of the text",
       {{"variant", "think_answer", "think_answer, hash_answer or a published rule below"},
        {"verifier", "", "NAME[:key=value]: the format counts only where the answer is right",
         false},
        {"answer_field", "answer", "the row's field with the gold, for the verifier"}},
       make_format_reward},
      {"length",
       "-min(1, length / max)",
       {{"max", "0", "tokens; 0: rollout.max_completion_length"}},
       make_length_reward},
      {"soft_overlong",
       "0 up to max - cache tokens, then linear to -1 at max (DAPO)",
       {{"cache", "0", "tokens; 0: a fifth of max"},
        {"max", "0", "tokens; 0: rollout.max_completion_length"}},
       make_soft_overlong_reward},
      {"trl.soft_overlong_punishment",
       "soft_overlong under TRL's names",
       {{"max_completion_len", "0", "tokens; 0: rollout.max_completion_length"},
        {"soft_punish_cache", "0", "tokens"}},
       make_trl_soft_overlong_reward},
      {"cosine_length",
       "right answers better when short, wrong ones when long (arXiv:2502.03373)",
       {{"verifier", "math", "NAME[:key=value] of the reward that says what is right", false},
        {"answer_field", "answer", "the row's field with the gold, for the verifier"},
        {"max", "0", "tokens; 0: rollout.max_completion_length"},
        {"min_value_correct", "0.5", "a right answer at max"},
        {"max_value_correct", "1.0", "a right answer without length"},
        {"min_value_wrong", "-1.0", "a wrong answer without length"},
        {"max_value_wrong", "-0.5", "a wrong answer at max"}},
       make_cosine_length_reward},
      {"group_length",
       ".5 for the shortest of the group to -.5 for the longest, wrong ones at most 0 (Kimi k1.5)",
       {{"verifier", "math", "NAME[:key=value] of the reward that says what is right", false},
        {"answer_field", "answer", "the row's field with the gold, for the verifier"}},
       make_group_length_reward},
      {"language",
       "share of words in the script of a language; it knows no languages (DeepSeek-R1)",
       {{"language", "en",
         "for its script: en (Latin), zh, ja, ko, ru (Cyrillic), el, ar, he, hi, th"}},
       make_language_reward},
      {"repetition",
       "max_penalty * (1 - unique n-grams / n-grams) over token ids",
       {{"ngram_size", "3", "tokens"}, {"max_penalty", "-1.0", "at most 0"}},
       make_repetition_reward},
      {"trl.repetition_penalty_reward",
       "repetition under TRL's name",
       {{"ngram_size", "3", "tokens"}, {"max_penalty", "-1.0", "at most 0"}},
       make_repetition_reward},
  };
  for (const auto& variant : format_variants()) {
    const std::string name = variant.name;
    if (name.find('.') != std::string::npos)
      table.push_back({name, variant.what, {}, make_published_format});
  }
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
