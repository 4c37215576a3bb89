#include "rewards/code/askable.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "rewards/code/python_tokens.h"

namespace aha {
namespace {

// Those of Python's builtins that take functions or what is gone through.
constexpr std::array<std::string_view, 19> kBuiltins = {
    "all", "any",  "dict",   "enumerate", "filter", "frozenset", "iter", "list",  "map", "max",
    "min", "next", "reduce", "reversed",  "set",    "sorted",    "sum",  "tuple", "zip"};
constexpr std::array<std::string_view, 14> kKeywords = {"and",   "assert", "elif",   "else", "if",
                                                        "in",    "is",     "lambda", "not",  "or",
                                                        "print", "return", "while",  "for"};

template <class List>
bool among(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Names that the test defines, imports or assigns.
std::set<std::string_view> bound_names(const std::vector<PythonToken>& tokens) {
  std::set<std::string_view> names;
  bool imports = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto text = tokens[i].text;
    if (text == "\n") imports = false;
    if (text == "import") imports = true;
    if (!is_python_name(text)) continue;
    const auto before = i > 0 ? tokens[i - 1].text : "\n";
    const auto after = i + 1 < tokens.size() ? tokens[i + 1].text : "\n";
    const bool assigned = before == "\n" && after == "=";
    if (imports || assigned || before == "def" || before == "class" || before == "as")
      names.insert(text);
  }
  return names;
}

/// An open bracket, and whom it calls: empty for none.
struct Open {
  std::string_view callee;
  bool call = false;
};

}  // namespace

std::optional<std::string> unaskable(std::string_view test) {
  if (test.find("lambda") == std::string_view::npos && test.find(" for ") == std::string_view::npos)
    return std::nullopt;
  const auto tokens = python_tokens(test);
  const auto bound = bound_names(tokens);
  const auto is_answers = [&](std::string_view name) {
    return !among(kBuiltins, name) && !bound.contains(name);
  };
  std::vector<Open> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto text = tokens[i].text;
    const auto before = i > 0 ? tokens[i - 1].text : "\n";
    if (text == "(" || text == "[" || text == "{") {
      const bool call = text == "(" && (is_python_name(before) || before == ")" || before == "]") &&
                        !among(kKeywords, before);
      const bool named = call && is_python_name(before) &&
                         (i < 2 || (tokens[i - 2].text != "." && tokens[i - 2].text != "def"));
      open.push_back({named ? before : "", call});
    } else if (text == ")" || text == "]" || text == "}") {
      if (!open.empty()) open.pop_back();
    } else if (text == "lambda" || text == "for") {
      auto at = open.rbegin();
      while (text == "lambda" && at != open.rend() && !at->call)
        ++at;
      if (at == open.rend() || at->callee.empty() || !is_answers(at->callee)) continue;
      return fmt::format("line {} gives {} a {}", tokens[i].line, at->callee,
                         text == "for" ? "generator" : "lambda");
    }
  }
  return std::nullopt;
}

}  // namespace aha
