#include <utility>

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
  if (tree_[base].kind != Kind::Number) refuse("a base that is no number");
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
  const auto below = subscript();
  const bool index = counts_by_i_ && token.text == "i";
  if (token.kind == TokenKind::Constant && below.empty() && !index)
    return tree_.constant(token.text);
  auto name = token.text + below;
  while (take(TokenKind::Prime))
    name += "'";
  if (at(TokenKind::Operator, "^") && peek(1).kind == TokenKind::Prime) {
    next();
    next();
    name += "'";
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
  if (by_name && at(TokenKind::Open, "(")) {
    // A capital letter is a function of letters or a number, and a factor before a sum.
    const bool small = name[0] == 'f' || name[0] == 'g' || name[0] == 'h' ||
                       (!peek().space_before && (peek(2).text == ")" || peek(2).text == ","));
    if (small) return applied(symbol);
  }
  return symbol;
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
    return tree_.constant("empty");
  }
  const auto inside = list();
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
    std::vector<Ref> items = many ? tree_[inside].items : std::vector<Ref>{inside};
    return tree_.add({.kind = Kind::Set, .items = std::move(items)});
  }
  if (close == "}" || close == "S") refuse("brackets do not match");
  if (!many) return inside;
  const auto brackets = open == "a" ? "()" : open + close;
  auto items = tree_[inside].items;
  return tree_.add({.kind = Kind::Tuple, .name = brackets, .items = std::move(items)});
}

Ref Parser::absolute() {
  const auto bar = next().text;
  ++bars_;
  const auto inside = sum();
  --bars_;
  if (!take(TokenKind::Bar, bar)) refuse("'|' is not closed");
  return tree_.function(bar == "|" ? "abs" : "norm", {inside});
}

Ref Parser::group() {
  if (!take(TokenKind::Open, "{")) refuse("'{' is missing");
  const auto bars = std::exchange(bars_, 0);
  const auto parts = std::exchange(colon_parts_, false);
  const auto inside = list();
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
