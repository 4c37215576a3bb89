#include <utility>

#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

bool is_numeral(const Tree& tree, Ref ref) {
  return tree[ref].kind == Kind::Number;
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

Ref Parser::product() {
  auto begin = at_;  // of the last factor
  std::vector<Ref> factors = {signed_factor()};
  for (;;) {
    if (at(TokenKind::Operator, "*") || at(TokenKind::Operator, "x")) {
      times(factors, std::exchange(begin, at_ + 1));
    } else if (take(TokenKind::Operator, "/")) {
      if (const auto slope = derivative(factors))
        factors = {*slope};
      else
        divide(factors, signed_factor());
    } else if (take(TokenKind::Operator, "m")) {
      const auto left = tree_.product(factors);
      factors = {tree_.function("mod", {left, signed_factor()})};
    } else if (const auto scale = named_scale(peek()); scale && is_numeral(tree_, factors.back())) {
      next();
      factors.push_back(tree_.number(*scale));
    } else if (opens_remainder(factors)) {
      next();
      const auto parts =
          tree_.add({.kind = Kind::Tuple, .name = "()", .items = {factors[0], numeral()}});
      factors = {remarked(parts, "remainder")};
    } else if (opens_labelled(factors)) {
      factors = {signed_factor()};
    } else if (tree_[factors.back()].kind != Kind::Text && take_unit(factors)) {
      continue;
    } else if (starts_operand()) {
      // A number in brackets is a factor: only 2\frac{5}{8} is mixed.
      const bool after_number = tokens_[at_ - 1].kind == TokenKind::Number;
      const bool divided = at_ > 1 && tokens_[at_ - 2].text == "/";  // 6/2 is no whole part
      const bool over = at(TokenKind::Open, "{") && peek(1).kind == TokenKind::Number &&
                        peek(2).text == "o" && peek(3).kind == TokenKind::Number;
      const bool mixed = (at(TokenKind::Command, "frac") || over) && after_number && !divided &&
                         is_whole(tree_, factors.back());
      const bool slash = peek().kind == TokenKind::Number && peek().space_before &&
                         peek(1).text == "/" && peek(2).kind == TokenKind::Number && !divided &&
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
      begin = at_;
      const auto factor = power();
      // A fraction of two numerals has become a number.
      const auto number = mixed ? mixed_number(tree_, factors.back(), factor) : std::nullopt;
      if (number)
        factors.back() = *number;
      else if (tree_[factors.back()].kind == Kind::Text && !is_hedge(tree_[factors.back()].name))
        factors.back() = with_words_before(tree_[factors.back()].name, factor);
      else if (tree_[factor].kind == Kind::Text && !is_hedge(tree_[factor].name))
        say_after(factors, tree_[factor].name);  // 12\frac{\text{km}}{\text{h}}
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

/// Behind "Answer:" and its like, at a sign, which is no operation on words.
bool Parser::opens_labelled(const std::vector<Ref>& factors) const {
  return factors.size() == 1 && tree_[factors[0]].kind == Kind::Text &&
         is_label(tree_[factors[0]].name) &&
         (at(TokenKind::Operator, "-") || at(TokenKind::Operator, "+"));
}

/// At a sign of multiplication: the factor behind it. Between two vectors \times is their cross product.
void Parser::times(std::vector<Ref>& factors, std::size_t begin) {
  const bool cross = next().text == "x" && is_vector(begin) && is_vector(at_);
  const auto factor = signed_factor();
  if (cross)
    factors.back() = cross_product(factors.back(), factor);
  else
    factors.push_back(factor);
}

/// 3/2 is one number, as \frac32 is.
void Parser::divide(std::vector<Ref>& factors, Ref by) {
  const bool numbers = factors.size() == 1 && is_numeral(tree_, factors[0]) &&
                       is_numeral(tree_, by) && !tree_[factors[0]].decimal && !tree_[by].decimal &&
                       !tree_[by].value.is_zero();
  if (numbers)
    factors = {tree_.number(tree_[factors[0]].value / tree_[by].value)};
  else
    factors.push_back(tree_.power(by, tree_.number(-1)));
}

/// A letter under an arrow or a hat, or in bold face.
bool Parser::is_vector(std::size_t begin) const {
  const auto is_sign = [](const Token& token) {
    return token.kind == TokenKind::Operator && (token.text == "-" || token.text == "+");
  };
  while (is_sign(tokens_[begin]))
    ++begin;
  constexpr std::string_view kMarks[] = {"vec", "overrightarrow", "mathbf", "boldsymbol", "bm",
                                         "hat"};
  if (!holds(kMarks, tokens_[begin].text)) return false;
  const auto& letter = tokens_[begin + (tokens_[begin + 1].text == "{" ? 2 : 1)];
  return letter.kind == TokenKind::Symbol || letter.text == "i";
}

/// b x a is -(a x b).
Ref Parser::cross_product(Ref a, Ref b) {
  bool negative = false;
  const auto without_sign = [&](Ref ref) {
    const auto node = tree_[ref];
    const bool minus =
        node.kind == Kind::Product && node.items.size() == 2 && tree_[node.items[0]].value == -1;
    negative = negative != minus;
    return minus ? node.items[1] : ref;
  };
  std::vector<Ref> items = {without_sign(a), without_sign(b)};
  if (canonical(tree_, items[1]) < canonical(tree_, items[0])) {
    std::swap(items[0], items[1]);
    negative = !negative;
  }
  const auto product = tree_.function("cross", items);
  return negative ? tree_.negative(product) : product;
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

}  // namespace aha::math
