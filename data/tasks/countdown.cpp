#include "data/tasks/countdown.h"

#include <algorithm>

#include "data/tasks/arithmetic.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr const char* kName = "countdown";
constexpr std::int64_t kLargestTarget = 99;
constexpr std::int64_t kLargestStep = 9999;

/// A value with the expression that made it.
struct Term {
  std::int64_t value = 0;
  std::string text;
  int strength = 3;  ///< of its outermost operator: 1 for + -, 2 for * /, 3 for a bare number
};

struct Problem {
  std::vector<std::int64_t> nums;
  std::int64_t target = 0;
  std::string expression;
  std::string steps;
  std::string identity() const { return countdown_identity(nums, target); }
};

std::string in_parentheses(const Term& term, bool needed) {
  return needed ? "(" + term.text + ")" : term.text;
}

/// `left op right` with no more parentheses than it needs; nothing when the step is not allowed.
std::optional<Term> combined(const Term& left, char op, const Term& right) {
  const auto value = applied(op, left.value, right.value);
  if (!value || *value < 1 || *value > kLargestStep) return std::nullopt;
  const int strength = op == '+' || op == '-' ? 1 : 2;
  const bool order_matters = op == '-' || op == '/';
  return Term{*value,
              fmt::format("{} {} {}", in_parentheses(left, left.strength < strength), op,
                          in_parentheses(right, right.strength < strength ||
                                                    (order_matters && right.strength == strength))),
              strength};
}

std::optional<Problem> problem_from(const TaskOptions& options, RandomStream& random) {
  Problem problem;
  std::vector<Term> terms;
  const auto count = random.between(options.min_numbers, options.max_numbers);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto number = random.between(1, options.max_number);
    problem.nums.push_back(number);
    terms.push_back({number, std::to_string(number)});
  }
  const auto take = [&] {
    const auto at = random.below(std::ssize(terms));
    auto term = std::move(terms[static_cast<std::size_t>(at)]);
    terms.erase(terms.begin() + at);
    return term;
  };
  while (terms.size() > 1) {
    const auto left = take();
    const auto right = take();
    const char op =
        options.operators[static_cast<std::size_t>(random.below(std::ssize(options.operators)))];
    auto term = combined(left, op, right);
    if (!term) return std::nullopt;
    problem.steps += fmt::format("{}{} {} {} = {}", problem.steps.empty() ? "" : ", ", left.value,
                                 op, right.value, term->value);
    terms.push_back(std::move(*term));
  }
  problem.target = terms[0].value;
  problem.expression = terms[0].text;
  if (problem.target > kLargestTarget) return std::nullopt;
  return problem;
}

/// Words that arithmetic is written in: runs of digits, and every other sign by itself.
std::vector<std::string_view> symbols_of(std::string_view text) {
  const auto is_digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  std::vector<std::string_view> symbols;
  for (std::size_t i = 0; i < text.size();) {
    const auto start = i++;
    if (text[start] == ' ') continue;
    while (is_digit(start) && i < text.size() && is_digit(i))
      ++i;
    symbols.push_back(text.substr(start, i - start));
  }
  return symbols;
}

}  // namespace

std::string countdown_question(const std::vector<std::int64_t>& nums, std::int64_t target,
                               std::string_view operators) {
  const std::vector<char> signs(operators.begin(), operators.end());
  return fmt::format(
      "Using the numbers [{}], create an equation that equals {}. You can use basic arithmetic "
      "operations ({}), and each number must be used exactly once. Show your work in <think> "
      "</think> tags, and give the final answer in <answer> </answer> tags, for example <answer> "
      "(1 + 2) / 3 </answer>.",
      fmt::join(nums, ", "), target, fmt::join(signs, ", "));
}

CountdownTask::CountdownTask(const TaskOptions& options) : options_(options) {
  refuse_unused(kName, options, {"max_number", "operators", "min_numbers", "max_numbers"});
  require_operators(kName, options.operators, "+-*/");
  if (options.max_number < 1 || options.max_number > 99)
    fail("task '{}': max_number is {}, expected 1 to 99", kName, options.max_number);
  if (options.min_numbers < 2 || options.max_numbers > 6 ||
      options.min_numbers > options.max_numbers)
    fail("task '{}': min_numbers is {} and max_numbers {}, expected 2 <= min <= max <= 6", kName,
         options.min_numbers, options.max_numbers);
  require_both_splits();
}

Json CountdownTask::draw(Split split, RandomStream& random) const {
  const auto problem = drawn_of(split, kName, random,
                                [&](RandomStream& from) { return problem_from(options_, from); });
  return {{"question", countdown_question(problem.nums, problem.target, options_.operators)},
          {"nums", problem.nums},
          {"target", problem.target},
          {"answer", problem.expression},
          {"completion", fmt::format("<think> {} </think> <answer> {} </answer>", problem.steps,
                                     problem.expression)}};
}

std::string CountdownTask::ideal(const Json& row) const {
  const auto answer = row.find("answer");
  if (answer == row.end() || !answer->is_string())
    fail("task '{}': a row needs 'answer', an expression, found {}", kName, dump_line(row));
  return fmt::format("<think> ... </think> <answer> {} </answer>", answer->get<std::string>());
}

BehaviourCounts CountdownTask::behaviour(const Json& /*row*/, std::string_view completion) const {
  BehaviourCounts counts{{"answered", 0}, {"equations", 0}, {"slips", 0}};
  const auto open = completion.rfind("<answer>");
  if (open != std::string_view::npos &&
      completion.find("</answer>", open) != std::string_view::npos)
    counts["answered"] = 1;

  const auto symbols = symbols_of(completion);
  for (std::size_t i = 0; i + 4 < symbols.size(); ++i) {
    const auto left = number_of(symbols[i]);
    const auto op = operator_of(symbols[i + 1]);
    const auto right = number_of(symbols[i + 2]);
    const auto stated = number_of(symbols[i + 4]);
    if (!left || !op || !right || symbols[i + 3] != "=" || !stated) continue;
    // Part of a longer chain such as "8 - 2 - 3 = 3": what stands on the left is not the whole.
    if (i > 0 && (operator_of(symbols[i - 1]) || symbols[i - 1] == ".")) continue;
    ++counts["equations"];
    if (applied(*op, *left, *right) != *stated) ++counts["slips"];
  }
  return counts;
}

std::map<std::string, double> CountdownTask::behaviour_rates(const BehaviourCounts& sums,
                                                             std::int64_t completions) const {
  RateTable table(sums);
  table.rate("answered", "answered", completions);
  table.rate("equations", "equations", completions);
  table.rate("slips", "slips", table.sum("equations"));
  return table.values;
}

}  // namespace aha
