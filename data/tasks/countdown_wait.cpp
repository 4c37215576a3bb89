#include "data/tasks/countdown_wait.h"

#include <algorithm>
#include <array>

#include "data/tasks/arithmetic.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kName = "countdown_wait";
constexpr std::int64_t kLargest = 99;  // numbers are one word each
constexpr std::array<std::array<std::size_t, 3>, 6> kOrders = {
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

/// A stretch of a trace between waits, as stated by whoever wrote it.
struct Stated {
  std::array<std::int64_t, 5> numbers{};  // a b r c t
  char first = '+', second = '+';
  std::optional<bool> verdict;
};

std::optional<Stated> stated_attempt(std::span<const std::string_view> words) {
  Stated stated;
  if (words.size() == 8) {
    if (words[7] != "ok" && words[7] != "no") return std::nullopt;
    stated.verdict = words[7] == "ok";
  } else if (words.size() != 7) {
    return std::nullopt;
  }
  constexpr std::array<std::size_t, 5> kPlaces = {0, 2, 3, 5, 6};
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    const auto number = number_of(words[kPlaces[i]]);
    if (!number) return std::nullopt;
    stated.numbers[i] = *number;
  }
  const auto first = operator_of(words[1]);
  const auto second = operator_of(words[4]);
  if (!first || !second) return std::nullopt;
  stated.first = *first;
  stated.second = *second;
  return stated;
}

void count_attempt(const Stated& stated, const std::vector<std::int64_t>& nums, bool hit,
                   BehaviourCounts& counts) {
  const auto [a, b, r, c, t] = stated.numbers;
  ++counts["attempts"];
  ++counts[hit ? "hits" : "misses"];
  if (applied(stated.first, a, b) != r || applied(stated.second, r, c) != t) ++counts["slips"];
  const std::vector<std::int64_t> used = {a, b, c};
  if (!std::is_permutation(used.begin(), used.end(), nums.begin(), nums.end())) ++counts["illegal"];
  if (!stated.verdict) return;
  ++counts["verdicts"];
  if (*stated.verdict == hit) ++counts["verdicts_right"];
}

}  // namespace

CountdownWaitTask::CountdownWaitTask(const TaskOptions& options) : options_(options) {
  refuse_unused(kName, options,
                {"wait_probability", "verdict", "max_attempts", "max_number", "operators"});
  require_operators(kName, options.operators, "+-*");
  if (!(options.wait_probability >= 0.0 && options.wait_probability <= 1.0))
    fail("task '{}': wait_probability is {}, expected a number in [0, 1]", kName,
         options.wait_probability);
  if (options.max_attempts < 1 || options.max_attempts > 1000)
    fail("task '{}': max_attempts is {}, expected 1 to 1000", kName, options.max_attempts);
  if (options.max_number < 1 || options.max_number > kLargest)
    fail("task '{}': max_number is {}, expected 1 to {}", kName, options.max_number, kLargest);
  require_both_splits();
}

std::string CountdownWaitTask::Problem::identity() const {
  return countdown_identity(nums, solution.total);
}

std::vector<CountdownWaitTask::Attempt> CountdownWaitTask::legal_attempts(
    const std::vector<std::int64_t>& nums) const {
  std::vector<Attempt> legal;
  for (const auto& order : kOrders) {
    for (const char first : options_.operators) {
      for (const char second : options_.operators) {
        if (second == '*' && first != '*') continue;
        Attempt attempt{nums[order[0]], nums[order[1]], nums[order[2]], first, second};
        const auto result = applied(first, attempt.a, attempt.b);
        if (!result || *result < 0 || *result > kLargest) continue;
        const auto total = applied(second, *result, attempt.c);
        if (!total || *total < 0 || *total > kLargest) continue;
        attempt.result = *result;
        attempt.total = *total;
        legal.push_back(attempt);
      }
    }
  }
  return legal;
}

Json CountdownWaitTask::draw(Split split, RandomStream& random) const {
  const auto one_of = [](const std::vector<Attempt>& attempts, RandomStream& from) {
    return attempts[static_cast<std::size_t>(from.below(std::ssize(attempts)))];
  };
  const auto problem =
      drawn_of(split, kName, random, [&](RandomStream& from) -> std::optional<Problem> {
        Problem found;
        for (int i = 0; i < 3; ++i)
          found.nums.push_back(from.between(1, options_.max_number));
        found.legal = legal_attempts(found.nums);
        if (found.legal.empty()) return std::nullopt;
        found.solution = one_of(found.legal, from);
        return found;
      });
  const auto target = problem.solution.total;

  std::string trace;
  Attempt attempt;
  for (std::int64_t k = 1;; ++k) {
    attempt = one_of(problem.legal, random);
    trace += attempt_text(attempt, target);
    if (attempt.total == target || k >= options_.max_attempts) break;
    if (random.uniform() > options_.wait_probability) break;
    trace += " wait ";
  }
  return {{"question", fmt::format("{} {} |", joined(problem.nums, " "), target)},
          {"nums", problem.nums},
          {"target", target},
          {"answer", expression(problem.solution)},
          {"completion", trace + " => " + expression(attempt)}};
}

std::string CountdownWaitTask::attempt_text(const Attempt& attempt, std::int64_t target) const {
  auto text = fmt::format("{} {} {} {} {} {} {}", attempt.a, attempt.first, attempt.b,
                          attempt.result, attempt.second, attempt.c, attempt.total);
  if (options_.verdict) text += attempt.total == target ? " ok" : " no";
  return text;
}

std::string CountdownWaitTask::expression(const Attempt& attempt) {
  return fmt::format("{} {} {} {} {}", attempt.a, attempt.first, attempt.b, attempt.second,
                     attempt.c);
}

std::string CountdownWaitTask::ideal(const Json& row) const {
  const auto nums = numbers_field(row, "nums");
  const auto target = row.find("target");
  if (!nums || nums->size() != 3 || target == row.end() || !target->is_number_integer())
    fail("task '{}': a row needs 'nums' (three whole numbers) and 'target', found {}", kName,
         dump_line(row));
  for (const auto& attempt : legal_attempts(*nums)) {
    if (attempt.total == target->get<std::int64_t>())
      return attempt_text(attempt, attempt.total) + " => " + expression(attempt);
  }
  fail("task '{}': no legal attempt reaches the target of {}", kName, dump_line(row));
}

std::vector<std::string> CountdownWaitTask::vocabulary() const {
  std::vector<std::string> words;
  for (std::int64_t n = 0; n <= kLargest; ++n)
    words.push_back(std::to_string(n));
  for (const char* word : {"+", "-", "*", "|", "wait", "=>", "<eos>", "<pad>", "ok", "no"})
    words.emplace_back(word);
  return words;
}

BehaviourCounts CountdownWaitTask::behaviour(const Json& row, std::string_view completion) const {
  const auto nums = numbers_field(row, "nums");
  const auto target = row.find("target");
  if (!nums || target == row.end() || !target->is_number_integer()) return {};
  BehaviourCounts counts;
  for (const char* name :
       {"waits", "attempts", "malformed", "hits", "misses", "waits_after_hit", "waits_after_miss",
        "verdicts", "verdicts_right", "slips", "illegal", "answered", "gave_up"})
    counts[name] = 0;

  const auto words = words_of(completion);
  counts["waits"] = std::count(words.begin(), words.end(), "wait");
  std::size_t start = 0;
  while (start < words.size()) {
    auto end = start;
    while (end < words.size() && words[end] != "wait" && words[end] != "=>")
      ++end;
    const auto terminator = end < words.size() ? words[end] : std::string_view{};
    const auto stated = stated_attempt(std::span(words).subspan(start, end - start));
    const bool hit = stated && stated->numbers[4] == target->get<std::int64_t>();
    if (stated) {
      count_attempt(*stated, *nums, hit, counts);
      if (terminator == "wait") ++counts[hit ? "waits_after_hit" : "waits_after_miss"];
    } else {
      ++counts["malformed"];
    }
    if (terminator == "=>") {
      ++counts["answered"];
      if (stated && !hit) ++counts["gave_up"];
      break;
    }
    start = end + 1;
  }
  return counts;
}

std::map<std::string, double> CountdownWaitTask::behaviour_rates(const BehaviourCounts& sums,
                                                                 std::int64_t completions) const {
  RateTable table(sums);
  for (const char* name : {"waits", "attempts", "gave_up"})
    table.rate(name, name, completions);
  for (const char* name : {"slips", "illegal"})
    table.rate(name, name, table.sum("attempts"));
  table.rate("verdict_accuracy", "verdicts_right", table.sum("verdicts"));
  table.rate("p_wait_given_miss", "waits_after_miss", table.sum("misses"));
  table.rate("p_wait_given_hit", "waits_after_hit", table.sum("hits"));
  auto& rates = table.values;
  if (rates.contains("p_wait_given_miss") && rates.contains("p_wait_given_hit"))
    rates["verification_gap"] = rates["p_wait_given_miss"] - rates["p_wait_given_hit"];
  return rates;
}

}  // namespace aha
