#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/rational.h"

namespace aha {

/// What an arithmetic expression says. Either `value`, or `problem` says why there is none.
struct Evaluated {
  std::optional<Rational> value;
  std::vector<std::int64_t> numbers;  ///< as written, from the left
  std::string problem;
  std::int64_t steps = 0;  ///< numbers read and operations done
};

/// Exact value of an expression of whole numbers, + - * /, parentheses, and a sign before a number
/// or a parenthesis. Division is exact: 1/3*3 is 1.
///
///   sum    = term { ("+" | "-") term }
///   term   = factor { ("*" | "/") factor }
///   factor = { "+" | "-" } ( digits | "(" sum ")" )
///
/// Everything else is a problem: other characters, "2(3)", "007", an empty text, division by zero,
/// more than 18 digits, a value beyond 126 bits, more than 4,096 bytes, more than 64 open
/// parentheses.
Evaluated evaluate_expression(std::string_view text);

}  // namespace aha
