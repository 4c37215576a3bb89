#include "rewards/math/parser.h"

#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

constexpr int kMostDepth = 64;

}  // namespace

Parser::Depth::Depth(Parser& parser) : parser_(parser) {
  if (++parser_.depth_ > kMostDepth) {
    --parser_.depth_;
    throw Refusal{"more than 64 levels deep"};
  }
}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

bool Parser::at(TokenKind kind, std::string_view text) const {
  return peek().kind == kind && (text.empty() || peek().text == text);
}

bool Parser::take(TokenKind kind, std::string_view text) {
  if (!at(kind, text)) return false;
  ++at_;
  return true;
}

Token Parser::next() {
  auto token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

Ref Parser::answer() {
  if (at(TokenKind::End)) refuse("nothing there");
  const auto whole = stacked();
  if (!at(TokenKind::End)) refuse("'" + peek().text + "' is out of place");
  return whole;
}

Ref Parser::sum() {
  const Depth depth(*this);
  std::vector<Ref> terms;
  const auto plus_minus = [this](const std::string& name, Ref of) {
    return tree_.add({.kind = Kind::PlusMinus, .name = name == "p" ? "+-" : "-+", .items = {of}});
  };
  if (at(TokenKind::Operator, "p") || at(TokenKind::Operator, "q")) {
    const auto name = next().text;
    terms.push_back(plus_minus(name, product()));
  } else {
    terms.push_back(product());
  }
  for (;;) {
    if (take(TokenKind::Operator, "+")) {
      terms.push_back(product());
    } else if (take(TokenKind::Operator, "-")) {
      const auto term = product();
      const bool sets = tree_[term].kind == Kind::Set && is_set_like(tree_, terms.back());
      if (sets)  // \mathbb{R} - \{0\}
        terms.back() =
            tree_.add({.kind = Kind::SetOperation, .name = "minus", .items = {terms.back(), term}});
      else
        terms.push_back(tree_.negative(term));
    } else if (at(TokenKind::Operator, "p") || at(TokenKind::Operator, "q")) {
      const auto name = next().text;
      terms.push_back(plus_minus(name, product()));
    } else {
      break;
    }
  }
  return tree_.sum(terms);
}

/// The [ of [0, 1[, behind which nothing stands.
bool Parser::closes_open_interval() const {
  if (!at(TokenKind::Open, "[")) return false;
  const auto after = peek(1).kind;
  return after == TokenKind::End || after == TokenKind::SetSign || after == TokenKind::Separator;
}

bool Parser::starts_operand() const {
  switch (peek().kind) {
    case TokenKind::Number:
    case TokenKind::Symbol:
    case TokenKind::Constant:
    case TokenKind::Function:
    case TokenKind::Wrapper:
    case TokenKind::Word:
    case TokenKind::Text:
      return true;
    case TokenKind::Open:
      return !opens_modulus() && !opens_domain() && !opens_aside() && !closes_open_interval();
    case TokenKind::Command:
      return peek().text != "end" && peek().text != "pmod";
    case TokenKind::Bar:
      return (bars_ == 0 || opens_in_bars()) && !such_that_;
    default:
      return false;
  }
}

Ref Parser::power() {
  const Depth depth(*this);
  const auto base = postfix();
  if (!take(TokenKind::Operator, "^")) return base;
  if (take(TokenKind::Degree)) return degrees(base);  // 45^\circ
  if (const auto marked = mark(base)) return *marked;
  if (at(TokenKind::Prime)) return base;
  const auto raised = tree_.power(base, exponent());
  if (take(TokenKind::Degree)) return degrees(raised);
  if (take(TokenKind::Operator, "!")) return tree_.function("factorial", {raised});
  return raised;
}

Ref Parser::postfix() {
  auto value = atom();
  for (;;) {
    if (take(TokenKind::Operator, "!")) {
      value = tree_.function("factorial", {value});
    } else if (bars_ == 0 && at(TokenKind::Bar, "|") && peek(1).text == "_") {
      at_ += 2;  // \left. y \right|_{x=1}: a value at x = 1
      value = tree_.add({.kind = Kind::Apply, .items = {value, group_or_atom()}});
    } else if (take(TokenKind::Percent)) {
      value = tree_.add({.kind = Kind::Percent, .items = {value}});
    } else if (at(TokenKind::Operator, "_") && is_whole(tree_, value) &&
               tokens_[at_ - 1].text == ")") {
      value = based(tree_[value].value.str());  // (210)_3
    } else if (at(TokenKind::Operator, "_") && tree_[value].kind == Kind::Symbol) {
      value = tree_.symbol(tree_[value].name + subscript());  // \vec{v}_1
    } else if (at(TokenKind::Degree) && tree_[value].kind == Kind::Symbol &&
               peek(1).kind == TokenKind::Symbol) {
      next();  // f \circ g
      value = tree_.symbol(tree_[value].name + " of " + tree_[letter()].name);
    } else if (take(TokenKind::Degree)) {
      value = degrees(value);
    } else {
      return value;
    }
  }
}

Ref Parser::exponent() {
  const Depth depth(*this);
  if (at(TokenKind::Open, "{")) {
    auto inside = group();
    if (take(TokenKind::Operator, "^")) inside = tree_.power(inside, exponent());
    return inside;
  }
  if (take(TokenKind::Operator, "-")) return tree_.negative(exponent());
  if (take(TokenKind::Operator, "+")) return exponent();
  const auto base = atom();
  if (take(TokenKind::Operator, "^")) return tree_.power(base, exponent());
  return base;
}

Ref parsed(Tree& tree, std::string_view text) {
  return Parser(tree, tokens_of(text)).answer();
}

}  // namespace aha::math
