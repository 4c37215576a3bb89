#include "rewards/code/unfailing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rewards/code/python_tokens.h"

namespace aha {
namespace {

using Tokens = std::vector<PythonToken>;

// Parts of the names of what can end a test: assertEqual, assert_allclose, sys.exit, assertRaises, ...
constexpr std::array<std::string_view, 9> kEnding = {
    "assert", "raise", "exit", "quit", "abort", "exec", "unittest", "pytest", "doctest"};

bool can_end(std::string_view name) {
  return std::any_of(kEnding.begin(), kEnding.end(), [name](std::string_view part) {
    return name.find(part) != std::string_view::npos;
  });
}

/// The place behind (a, b), which begins at `at`, where that is all that is asserted.
std::optional<std::size_t> end_of_tuple(const Tokens& tokens, std::size_t at) {
  constexpr std::array<std::string_view, 3> kBehind = {"\n", ";", ","};
  if (at == tokens.size() || tokens[at].text != "(") return std::nullopt;
  std::size_t depth = 0;
  bool comma = false;
  for (; at < tokens.size(); ++at) {
    const auto text = tokens[at].text;
    if (text == "(" || text == "[" || text == "{") ++depth;
    if (text == "," && depth == 1) comma = true;
    if ((text == ")" || text == "]" || text == "}") && --depth == 0) break;
  }
  const auto behind = at + 1;
  const bool all = behind == tokens.size() ||
                   (behind < tokens.size() && std::find(kBehind.begin(), kBehind.end(),
                                                        tokens[behind].text) != kBehind.end());
  return comma && all ? std::optional(behind) : std::nullopt;
}

}  // namespace

std::optional<std::string> unfailing(std::string_view test) {
  const auto tokens = python_tokens(test);
  std::optional<std::string> why;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!is_python_name(tokens[i].text) || !can_end(tokens[i].text)) continue;
    const auto behind = tokens[i].text == "assert" ? end_of_tuple(tokens, i + 1) : std::nullopt;
    if (!behind) return std::nullopt;
    if (!why) why = fmt::format("asserts a tuple in line {}, which is always true", tokens[i].line);
    i = *behind - 1;
  }
  return why ? why : "asserts nothing";
}

}  // namespace aha
