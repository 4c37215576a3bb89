#include <utility>

#include "rewards/math/parser_state.h"
#include "rewards/math/set_builder.h"

namespace aha::math {

/// Within braces, \{x | x > 3\}: of an odd number of bars one parts a set's elements from their condition.
bool Parser::parts_condition() const {
  int open = 1;
  bool odd = false;
  for (auto i = at_; i < tokens_.size() && open > 0; ++i) {
    if (tokens_[i].kind == TokenKind::Open) ++open;
    if (tokens_[i].kind == TokenKind::Close) --open;
    if (tokens_[i].kind == TokenKind::Bar && tokens_[i].text == "|") odd = !odd;
  }
  return odd;
}

/// Behind {}: ^{10}C_3 or _{10}C_3, of 3 out of 10. Nothing is taken where something else follows.
std::optional<Ref> Parser::chosen() {
  const std::size_t in = peek(1).text == "{" ? 1 : 0;
  const bool raised = at(TokenKind::Operator, "^") || at(TokenKind::Operator, "_");
  const auto kind = peek(1 + in).kind;
  if (!raised || (kind != TokenKind::Number && kind != TokenKind::Symbol)) return std::nullopt;
  const auto after = 2 + 2 * in;  // both braces
  if ((in == 1 && peek(3).text != "}") || peek(after).text != "C" || peek(after + 1).text != "_")
    return std::nullopt;
  next();
  const auto from = group_or_atom();
  at_ += 2;
  return tree_.function("binomial", {from, group_or_atom()});
}

Ref Parser::bracketed() {
  const bool braces = at(TokenKind::Open, "S");
  auto open = next().text;
  if (open == "]") open = "(";
  const auto outer_bars = bars_;
  const auto outer_such_that = such_that_;
  const auto outer_colon_parts = colon_parts_;
  bars_ = 0;
  colon_parts_ = braces;
  such_that_ = (open == "S" || open == "{") && parts_condition();
  if (at(TokenKind::Close) && (open == "S" || open == "{")) {
    next();
    if (const auto count = open == "{" ? chosen() : std::nullopt) return *count;
    return tree_.constant("empty");
  }
  const bool system = open == "S" && at(TokenKind::Command, "begin");
  const auto inside = stacked();
  if (system && at(TokenKind::End) && tree_[inside].columns == 1) {  // \left\{ ... \right.
    auto equations = tree_[inside].items;
    return tree_.add({.kind = Kind::List, .name = "and", .items = std::move(equations)});
  }
  bars_ = outer_bars;
  such_that_ = outer_such_that;
  colon_parts_ = outer_colon_parts;
  const bool turned = open != "S" && open != "{" && closes_open_interval();
  if (!at(TokenKind::Close) && !turned) refuse("a bracket is not closed");
  const auto token = next();
  const auto close = turned ? ")" : token.text;
  if (open == "f" || open == "c") return tree_.function(open == "f" ? "floor" : "ceil", {inside});
  const bool many = tree_[inside].kind == Kind::List;
  if (open == "S" || open == "{") {
    if (close != (open == "S" ? "S" : "}")) refuse("brackets do not match");
    if (open == "{" && !many) return inside;
    if (const auto relation = set_builder(tree_, inside))
      return tree_.add({.kind = Kind::Set, .items = {*relation}});
    std::vector<Ref> items = many ? tree_[inside].items : std::vector<Ref>{inside};
    return tree_.add({.kind = Kind::Set, .items = std::move(items)});
  }
  if (close == "}" || close == "S") refuse("brackets do not match");
  if (!many) return inside;
  const auto brackets = open == "a" ? "()" : open + close;
  auto items = tree_[inside].items;
  return tree_.add({.kind = Kind::Tuple, .name = brackets, .items = std::move(items)});
}

/// {a + b \over c} and {n \choose k}: all that stands on either side.
Ref Parser::stacked() {
  const auto top = list();
  if (take(TokenKind::Operator, "o")) return over(top, list());
  if (take(TokenKind::Operator, "C")) return tree_.function("binomial", {top, list()});
  return top;
}

/// At the second bar of ||v||, within which there is no other; ||x| - 1| is two in each other.
bool Parser::opens_norm() const {
  const auto glued = [&](std::size_t ahead) {
    const auto& token = peek(ahead);
    return token.kind == TokenKind::Bar && token.text == "|" && !token.space_before;
  };
  if (!glued(0)) return false;
  std::size_t ahead = 1;
  while (peek(ahead).kind != TokenKind::Bar && peek(ahead).kind != TokenKind::End)
    ++ahead;
  return ahead > 1 && peek(ahead).text == "|" && glued(ahead + 1);
}

/// At the second bar of |2|x| - 6|: |2| alone would be 2.
bool Parser::opens_in_bars() const {
  return at_ > 1 && tokens_[at_ - 2].kind == TokenKind::Bar &&
         tokens_[at_ - 1].kind == TokenKind::Number && peek(1).kind == TokenKind::Symbol &&
         peek(2).kind == TokenKind::Bar && peek(3).kind == TokenKind::Operator &&
         (peek(3).text == "-" || peek(3).text == "+");
}

Ref Parser::absolute() {
  auto bar = next().text;
  if (bar == "|" && opens_norm()) {
    next();
    bar = "||";
  }
  ++bars_;
  const auto inside = set_operation();  // |A \cap B|
  --bars_;
  const bool apart = bar == "||" && take(TokenKind::Bar, "|");
  if (!take(TokenKind::Bar, apart ? "|" : bar)) refuse("'|' is not closed");
  return tree_.function(bar == "|" ? "abs" : "norm", {inside});
}

Ref Parser::group() {
  if (!take(TokenKind::Open, "{")) refuse("'{' is missing");
  const auto bars = std::exchange(bars_, 0);
  const auto parts = std::exchange(colon_parts_, false);
  const auto inside = stacked();
  bars_ = bars;
  colon_parts_ = parts;
  if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
  return inside;
}

/// The argument of a command: {...}, or one token, which of a numeral is its first digit.
Ref Parser::group_or_atom() {
  if (at(TokenKind::Open, "{")) return group();
  const bool one = peek().text.size() == 1 || peek().text.find(' ') != std::string::npos;
  if (!at(TokenKind::Number) || one) return atom();
  auto& token = tokens_[at_];
  const auto digit = token.text.substr(0, 1);
  token.text.erase(0, 1);
  if (token.text[0] == '.' || token.text[0] == 'e') refuse("half a number");
  token.space_before = false;
  return tree_.number(fraction_of(digit));
}

}  // namespace aha::math
