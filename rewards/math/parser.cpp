#include "rewards/math/parser.h"

#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {
namespace {

constexpr int kMostDepth = 64;

bool is_numeral(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Number;
}

bool is_whole(const Tree& tree, Ref ref) {
  return is_numeral(tree, ref) && !tree[ref].decimal &&
         boost::multiprecision::denominator(tree[ref].value) == 1;
}

/// 2\frac{5}{8}, -2\frac{5}{8} and 5\frac12\%: the whole number with its part, which is one numeral.
std::optional<Ref> mixed_number(Tree& tree, Ref whole, Ref part) {
  const bool percent = tree[part].kind == Kind::Percent;
  const auto fraction = percent ? tree[part].items[0] : part;
  if (!is_numeral(tree, fraction)) return std::nullopt;
  const auto value = tree[whole].value;
  const auto rest = tree[fraction].value;
  const auto sum = tree.number(value < 0 ? value - rest : value + rest);
  return percent ? tree.add({.kind = Kind::Percent, .items = {sum}}) : sum;
}

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
      return !opens_modulus() && !closes_open_interval();
    case TokenKind::Command:
      return peek().text != "end" && peek().text != "pmod";
    case TokenKind::Bar:
      return bars_ == 0 && !such_that_;
    default:
      return false;
  }
}

Ref Parser::product() {
  std::vector<Ref> factors = {signed_factor()};
  for (;;) {
    if (take(TokenKind::Operator, "*")) {
      factors.push_back(signed_factor());
    } else if (take(TokenKind::Operator, "/")) {
      if (const auto slope = derivative(factors))
        factors = {*slope};
      else
        factors.push_back(tree_.power(signed_factor(), tree_.number(-1)));
    } else if (take(TokenKind::Operator, "m")) {
      const auto left = tree_.product(factors);
      factors = {tree_.function("mod", {left, signed_factor()})};
    } else if (const auto scale = named_scale(peek()); scale && is_numeral(tree_, factors.back())) {
      next();
      factors.push_back(tree_.number(*scale));
    } else if (tree_[factors.back()].kind != Kind::Text && take_unit(factors)) {
      continue;
    } else if (starts_operand()) {
      // A number in brackets is a factor: only 2\frac{5}{8} is mixed.
      const bool after_number = tokens_[at_ - 1].kind == TokenKind::Number;
      const bool mixed =
          at(TokenKind::Command, "frac") && after_number && is_whole(tree_, factors.back());
      const bool slash = peek().kind == TokenKind::Number && peek().space_before &&
                         peek(1).text == "/" && peek(2).kind == TokenKind::Number &&
                         is_whole(tree_, factors.back());
      if (at(TokenKind::Number) && !slash && after_number) refuse("a number after a number");
      if (slash) {
        const auto top = numeral();
        next();
        const auto bottom = numeral();
        if (tree_[bottom].value.is_zero()) refuse("a fraction over 0");
        auto part = tree_.number(tree_[top].value / tree_[bottom].value);
        if (take(TokenKind::Percent)) part = tree_.add({.kind = Kind::Percent, .items = {part}});
        factors.back() = *mixed_number(tree_, factors.back(), part);
        continue;
      }
      const auto factor = power();
      // A fraction of two numerals has become a number.
      const auto number = mixed ? mixed_number(tree_, factors.back(), factor) : std::nullopt;
      if (number)
        factors.back() = *number;
      else if (tree_[factors.back()].kind == Kind::Text && !is_hedge(tree_[factors.back()].name))
        factors.back() = with_words_before(tree_[factors.back()].name, factor);
      else
        factors.push_back(factor);
    } else {
      break;
    }
  }
  for (const auto factor : factors)
    if (factors.size() > 1 && tree_[factor].kind == Kind::Text) refuse("words between mathematics");
  return tree_.product(factors);
}

Ref Parser::signed_factor() {
  bool negative = false;
  for (;;) {
    if (take(TokenKind::Operator, "-"))
      negative = !negative;
    else if (!take(TokenKind::Operator, "+"))
      break;
  }
  const auto factor = power();
  if (!negative) return factor;
  if (is_numeral(tree_, factor)) return tree_.number(-tree_[factor].value, tree_[factor].decimal);
  return tree_.negative(factor);
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
