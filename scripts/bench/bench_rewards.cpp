// bench_rewards [SECONDS]: what scoring costs. Rows a second of one thread for the rewards that only scan, with short and with long
// completions; one row of `math` when its (gold, answer) is new and when it is known; and a step of 512 completions of 1,000 tokens
// (4,000 bytes, groups of 8; ids that vary as those of a text do) on two threads.
#include <fmt/format.h>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "rewards/registry.h"
#include "rewards/scorer.h"
#include "trainer/core/clock.h"
#include "trainer/core/json.h"

using namespace aha;  // NOLINT

namespace {

/// Seconds that this process has computed: others may be on the machine.
double processor_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

constexpr std::size_t kRows = 512;
constexpr std::size_t kGroup = 8;

/// Words to think with, `bytes` of them.
std::string thought(std::size_t bytes, std::size_t variant) {
  const std::string words[] = {
      "so ", "then 3 * 4 = 12 and ", "wait, ", "let us check: 7 - 5 is 2, ", "we add $x^2$ to it, ",
      "no. "};
  std::string text;
  for (std::size_t i = variant; text.size() < bytes; i = i * 7 + 3)
    text += words[i % 6];
  return text.substr(0, bytes);
}

std::string completion(std::size_t bytes, std::size_t variant, const std::string& answer) {
  return "<think>\n" + thought(bytes, variant) + "\n</think>\n<answer>\n" + answer + "\n</answer>";
}

/// `count` ids of a vocabulary of 49,152, drawn as words are: the n-th of them about once in n times the log
/// of all (Zipf's law).
std::vector<TokenId> ids_of(std::size_t count, std::uint64_t seed) {
  constexpr double kVocabulary = 49152;
  std::mt19937_64 random(seed);
  std::vector<TokenId> ids;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = static_cast<double>(random() >> 11U) * 0x1p-53;
    ids.push_back(static_cast<TokenId>(std::pow(kVocabulary, u)));
  }
  return ids;
}

struct Row {
  std::string text;
  Json fields;
};

std::vector<Row> rows_of(const std::string& reward, std::size_t bytes) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto n = static_cast<std::int64_t>(i % 90) + 1;
    const auto answer = reward == "math" ? fmt::format("\\frac{{{}}}{{{}}} + \\sqrt{{2}}", n, i + 3)
                                         : fmt::format("({} + 4) * 3 - 7", n);
    const auto gold = fmt::format("\\sqrt{{2}} + \\frac{{{}}}{{{}}}", 2 * n, 2 * (i + 3));
    rows.push_back({completion(bytes, i, answer),
                    {{"nums", {n, 4, 3, 7}},
                     {"target", (n + 4) * 3 - 7},
                     {"answer", reward == "math" ? gold : "5"}}});
  }
  return rows;
}

double rows_per_second(const Reward& reward, const std::vector<Row>& rows, double seconds) {
  double best = 0;
  const auto begin = Clock::now();
  do {
    const double start = processor_s();
    for (const auto& row : rows)
      reward.score({.completion = row.text,
                    .row = row.fields,
                    .ids = {},
                    .length = 10,
                    .max_completion_length = 100});
    best = std::max(best, static_cast<double>(rows.size()) / (processor_s() - start));
  } while (seconds_since(begin) < seconds);
  return best;
}

/// Milliseconds by the clock, and of the processor on each thread, of the best of some steps, each with a
/// scorer that knows nothing.
std::string step_text(const RewardSection& section, const std::string& reward, double seconds) {
  std::vector<Group> groups;
  const auto rows = rows_of(reward, 4000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % kGroup == 0) groups.emplace_back().prompt.fields = rows[i].fields;
    auto& made = groups.back().completions.emplace_back();
    made.text = rows[i].text;
    made.ids = ids_of(1000, i);
    made.finish = FinishReason::Stop;
  }
  double best = 1e30;
  double best_processor = 1e30;
  const auto begin = Clock::now();
  do {
    Scorer scorer(section);
    const auto start = Clock::now();
    const double processor = processor_s();
    scorer.score_groups(groups, 1024);
    best = std::min(best, 1e3 * seconds_since(start));
    best_processor = std::min(best_processor, 1e3 * (processor_s() - processor) / 2);
  } while (seconds_since(begin) < seconds);
  return fmt::format("{:.1f} ms ({:.1f} ms of the processor on each)", best, best_processor);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::stod(argv[1]) : 0.5;
  std::printf("%-28s %14s %14s\n", "rows/s of one thread", "200 bytes", "4,000 bytes");
  for (const std::string name :
       {"countdown", "countdown_wait", "numeric", "format", "open-r1.format_reward",
        "open-r1.tag_count_reward", "trl.think_format_reward", "nano-aha.format_reward",
        "soft_overlong"}) {
    const auto reward = make_reward(name);
    const auto of = [&](std::size_t bytes) {
      return rows_per_second(*reward, rows_of(name, bytes), seconds);
    };
    std::printf("%-28s %14.0f %14.0f\n", name.c_str(), of(200), of(4000));
  }
  const auto rows = rows_of("math", 200);
  double fresh = 0;
  for (int i = 0; i < 20; ++i)
    fresh = std::max(fresh, rows_per_second(*make_reward("math"), rows, 0.0));
  std::printf("%-28s %14.0f\n", "math, every pair new", fresh);
  std::printf("%-28s %14.0f\n", "math, every pair known",
              rows_per_second(*make_reward("math"), rows, seconds));

  RewardSection section;
  section.threads = 2;
  std::puts("\n512 completions of 1,000 tokens, two threads");
  const std::vector<std::vector<std::string>> steps = {
      {"math"},
      {"format"},
      {"repetition"},
      {"repetition:ngram_size=8"},
      {"language"},
      {"countdown", "format"},
      {"math", "format", "repetition", "language"}};
  for (const auto& specs : steps) {
    section.functions.clear();
    std::string title;
    for (const auto& spec : specs) {
      section.functions.push_back(parse_reward_spec(spec));
      title += (title.empty() ? "" : ", ") + spec;
    }
    std::printf("%-42s %s\n", title.c_str(), step_text(section, specs[0], seconds).c_str());
  }
  return 0;
}
