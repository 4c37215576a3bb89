#include "data/tasks/arithmetic.h"

#include <algorithm>

#include "data/tasks/generated_task.h"
#include "trainer/core/error.h"

namespace aha {

std::optional<std::int64_t> applied(char op, std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kLimit = 1'000'000'000'000;
  std::int64_t value = 0;
  bool overflow = false;
  switch (op) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &value);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &value);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &value);
      break;
    case '/':
      if (b == 0 || b == -1 || a % b != 0) return std::nullopt;
      value = a / b;
      break;
    default:
      return std::nullopt;
  }
  if (overflow || value > kLimit || value < -kLimit) return std::nullopt;
  return value;
}

std::optional<char> operator_of(std::string_view word) {
  if (word.size() != 1 || std::string_view("+-*/").find(word[0]) == std::string_view::npos)
    return std::nullopt;
  return word[0];
}

void require_operators(const std::string& task, const std::string& operators,
                       std::string_view allowed) {
  bool good = !operators.empty();
  for (std::size_t i = 0; i < operators.size(); ++i) {
    good = good && allowed.find(operators[i]) != std::string_view::npos &&
           operators.find(operators[i], i + 1) == std::string::npos;
  }
  if (!good)
    fail("task '{}': operators is '{}', expected some of {}, each once, as in \"{}\"", task,
         operators, allowed, allowed.substr(0, 2));
}

std::string countdown_identity(std::vector<std::int64_t> nums, std::int64_t target) {
  std::sort(nums.begin(), nums.end());
  return joined(nums, " ") + " = " + std::to_string(target);
}

}  // namespace aha
