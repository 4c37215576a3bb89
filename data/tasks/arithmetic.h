#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aha {

/// `a op b` over whole numbers, op one of + - * /; nothing when it does not come out even, divides
/// by zero or leaves +-10^12.
std::optional<std::int64_t> applied(char op, std::int64_t a, std::int64_t b);

/// The character of a word that is one operator ("+", "-", "*", "/"); nothing otherwise.
std::optional<char> operator_of(std::string_view word);

/// UserError naming `task` unless `operators` is a non-empty set of characters of `allowed`.
void require_operators(const std::string& task, const std::string& operators,
                       std::string_view allowed);

/// What makes a countdown problem the same problem: its numbers in order of size, and its target.
std::string countdown_identity(std::vector<std::int64_t> nums, std::int64_t target);

}  // namespace aha
