#include <utility>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

bool all_capitals(std::string_view word) {
  for (const char c : word) {
    if (c < 'A' || c > 'Z') return false;
  }
  return true;
}

}  // namespace

void Parser::refuse(const std::string& reason) {
  throw Refusal{reason};
}

Ref Parser::atom() {
  const Depth depth(*this);
  switch (peek().kind) {
    case TokenKind::Number:
      return numeral();
    case TokenKind::Symbol:
    case TokenKind::Constant:
      return letter();
    case TokenKind::Word:
      return words();
    case TokenKind::Text: {
      auto text = next().text;
      if (at(TokenKind::Operator, "_")) return based(text);
      return tree_.add({.kind = Kind::Text, .name = std::move(text)});
    }
    case TokenKind::Ellipsis:
      next();
      return tree_.symbol("...");
    case TokenKind::Open:
      return bracketed();
    case TokenKind::Close:  // ]0, 1[
      if (peek().text == "]") return bracketed();
      refuse("'" + peek().text + "' is out of place");
    case TokenKind::Bar:
      return absolute();
    case TokenKind::Function:
      return function();
    case TokenKind::Command:
      return command();
    case TokenKind::Wrapper:
      next();
      return group_or_atom();
    case TokenKind::End:
      refuse("it ends where something should follow");
    default:
      refuse("'" + peek().text + "' is out of place");
  }
}

Ref Parser::numeral() {
  const auto token = next();
  if (at(TokenKind::Operator, "_")) return based(token.text);
  const bool decimal = token.text.find_first_of(".e") != std::string::npos &&
                       token.text.find('(') == std::string::npos;
  return tree_.number(fraction_of(token.text), decimal);
}

/// A numeral in another base: 4210_7, \text{A5}_{11}.
Ref Parser::based(std::string_view digits) {
  take(TokenKind::Operator, "_");
  auto base = group_or_atom();
  if (tree_[base].kind == Kind::Text) {
    if (const auto named = named_base(tree_[base].name)) base = tree_.number(*named);
  }
  constexpr int kMostBase = 100;
  if (tree_[base].kind != Kind::Number || !is_whole(tree_, base) || tree_[base].value > kMostBase)
    refuse("a base that is no whole number up to 100");
  if (digits.size() > 200) refuse("too many digits");
  Fraction total = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 36;
    if (tree_[base].value <= digit) refuse("a digit beyond its base");
    total = total * tree_[base].value + digit;
  }
  return tree_.add({.kind = Kind::BaseNumber, .value = total, .items = {base}});
}

/// The rest of x_1 or x_{12}, "" without one.
std::string Parser::subscript() {
  std::string text;
  while (take(TokenKind::Operator, "_")) {
    text += "_";
    if (!take(TokenKind::Open, "{")) {
      text += next().text;
      continue;
    }
    int open = 1;
    while (!at(TokenKind::End)) {
      if (at(TokenKind::Open, "{")) ++open;
      if (at(TokenKind::Close, "}") && --open == 0) break;
      text += next().text;
    }
    if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
  }
  return text;
}

/// At ( behind a letter: y(t) = ..., p(x, y) = ..., y(0) = ...
bool Parser::opens_arguments() const {
  if (!at(TokenKind::Open, "(")) return false;
  for (std::size_t i = 1;; i += 2) {
    const auto kind = peek(i).kind;
    if (kind != TokenKind::Symbol && kind != TokenKind::Number) return false;
    const auto& after = peek(i + 1);
    if (after.kind == TokenKind::Close && after.text == ")")
      return peek(i + 2).kind == TokenKind::Relation && peek(i + 2).text == "=";
    if (after.kind != TokenKind::Separator) return false;
  }
}

Ref Parser::letter() {
  const bool first = at_ == 0 || tokens_[at_ - 1].kind == TokenKind::Separator;
  const auto token = next();
  auto below = subscript();
  const bool index = counts_by_i_ && token.text == "i";
  if (token.kind == TokenKind::Constant && below.empty() && !index)
    return tree_.constant(token.text);
  std::string primes;
  while (take(TokenKind::Prime))
    primes += "'";
  if (below.empty()) below = subscript();  // y'_1
  while (take(TokenKind::Prime))
    primes += "'";
  auto name = token.text + below + primes;
  const std::size_t in = peek(1).text == "{" ? 1 : 0;
  if (at(TokenKind::Operator, "^") && peek(1 + in).kind == TokenKind::Prime) {
    at_ += 1 + in;
    while (take(TokenKind::Prime))
      name += "'";
    if (in == 1 && !take(TokenKind::Close, "}")) refuse("'}' is missing");
  }
  const auto symbol = tree_.add({.kind = Kind::Symbol, .name = name, .spaced = token.space_before});
  const bool inverse = at(TokenKind::Operator, "^") && peek(1).text == "{" && peek(2).text == "-" &&
                       peek(3).text == "1" && peek(4).text == "}" && peek(5).text == "(";
  const bool by_name = name[0] == 'f' || name[0] == 'g' || name[0] == 'h' ||
                       (token.text.size() == 1 && all_capitals(token.text));
  if (inverse && by_name) {
    at_ += 5;
    return applied(tree_.symbol(name + "^-1"));
  }
  if (first && opens_arguments()) return applied(symbol);
  if (by_name && at(TokenKind::Open, "{") && peek(1).text == "(") {  // f{\left(x\right)}
    next();
    const auto value = combination(applied(symbol));
    if (!take(TokenKind::Close, "}")) refuse("'}' is missing");
    return value;
  }
  if (by_name && at(TokenKind::Open, "(")) {
    // A capital letter is a function of letters or a number, and a factor before a sum.
    const bool small = name[0] == 'f' || name[0] == 'g' || name[0] == 'h' ||
                       (!peek().space_before && (peek(2).text == ")" || peek(2).text == ","));
    if (small) return combination(applied(symbol));
  }
  return symbol;
}

/// C(10, 3), of 3 out of 10, and C(n, k).
Ref Parser::combination(Ref applied) {
  const auto items = tree_[applied].items;
  if (items.size() != 3 || tree_[items[0]].name != "C") return applied;
  const bool numbers = is_whole(tree_, items[1]) && is_whole(tree_, items[2]);
  const bool counts =
      numbers ? tree_[items[1]].value >= tree_[items[2]].value : !unknowns(tree_, items[1]).empty();
  return counts ? tree_.function("binomial", {items[1], items[2]}) : applied;
}

Ref Parser::applied(Ref function_name) {
  const auto inside = bracketed();
  Node node{.kind = Kind::Apply, .items = {function_name}};
  if (tree_[inside].kind == Kind::Tuple)
    node.items.insert(node.items.end(), tree_[inside].items.begin(), tree_[inside].items.end());
  else
    node.items.push_back(inside);
  return tree_.add(std::move(node));
}

/// What the superscript after a base is that is no power: a degree, the ending of 12th, the sign of the half of the
/// reals.
std::optional<Ref> Parser::mark(Ref base) {
  const std::size_t in = at(TokenKind::Open, "{") ? 1 : 0;
  const auto& token = peek(in);
  if (in == 1 && !(peek(2).kind == TokenKind::Close && peek(2).text == "}") &&
      token.kind != TokenKind::Degree)
    return std::nullopt;
  auto marked = base;
  const auto& node = tree_[base];
  if (token.kind == TokenKind::Degree) {
    marked = degrees(base);
  } else if (node.kind == Kind::Constant && node.name == "reals" &&
             token.kind == TokenKind::Operator && (token.text == "+" || token.text == "-")) {
    const auto end = tree_.constant("infinity");
    const auto zero = tree_.number(0);
    std::vector<Ref> ends = {zero, end};
    if (token.text == "-") ends = {tree_.negative(end), zero};
    marked = tree_.add({.kind = Kind::Tuple, .name = "()", .items = std::move(ends)});
  } else if (node.kind == Kind::Constant && is_set_like(tree_, base) &&
             token.kind == TokenKind::Operator && (token.text == "+" || token.text == "-")) {
    marked = tree_.constant(node.name + token.text);  // \mathbb{Z}^+
  } else if (!(node.kind == Kind::Number && token.kind == TokenKind::Text &&
               is_ordinal_ending(token.text))) {
    return std::nullopt;
  }
  at_ += 1 + in;
  if (in == 1 && !take(TokenKind::Close, "}")) refuse("'}' is missing");
  return marked;
}

/// An angle in degrees: in radians within a trigonometric function, the number alone elsewhere.
Ref Parser::degrees(Ref angle) {
  if (!in_angle_) return angle;
  return tree_.product({angle, tree_.constant("pi"), tree_.number(Fraction(1, 180))});
}

Ref Parser::words() {
  auto text = next().text;
  while (at(TokenKind::Word))
    text += " " + next().text;
  if (starts_operand()) refuse("words before mathematics");
  return tree_.add({.kind = Kind::Text, .name = std::move(text)});
}

}  // namespace aha::math
