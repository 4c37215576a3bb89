#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/vocabulary.h"

// Words beside a formula. Units, what is counted and "the answer is" do not count; "negative", "dozen" and their like
// are what they do to a number; other words that say more are kept, to be compared as words.

namespace aha::math {
namespace {

Ref worked_out(Tree& tree, const Operation& operation, Ref value) {
  const auto by = tree.number(Fraction(operation.top, operation.bottom));
  switch (operation.act) {
    case Act::Times:
      return tree.product({by, value});
    case Act::Plus:
      return tree.sum({value, by});
    case Act::Power:
      return tree.power(value, by);
    case Act::Factorial:
      return tree.function("factorial", {value});
  }
  return value;
}

}  // namespace

Ref Parser::remarked(Ref value, const std::string& words) {
  if (words.empty()) return value;
  auto name = words;
  auto inner = value;
  if (tree_[value].kind == Kind::Remarked) {  // all n even
    name = tree_[value].name + " " + words;
    inner = tree_[value].items[0];
  }
  return tree_.add({.kind = Kind::Remarked, .name = std::move(name), .items = {inner}});
}

/// No letters and no set: what stands after it is a unit.
bool Parser::stands_for_number(const std::vector<Ref>& factors) const {
  for (const auto factor : factors) {
    if (tree_[factor].kind == Kind::Remarked || is_set_like(tree_, factor) ||
        !unknowns(tree_, factor).empty())
      return false;
  }
  return true;
}

Ref Parser::with_words_after(Ref value, const std::string& words, bool number) {
  const auto remark = plain_remark(words);
  if (is_optional_remark(remark)) return remarked(value, remark);
  if (!number && tree_[value].kind != Kind::Symbol)
    return is_unit_name(remark) ? value : remarked(value, remark);
  if (const auto operation = operation_after(remark)) return worked_out(tree_, *operation, value);
  const bool says_more = number ? changes_number_before(remark) : !is_unit_name(remark);
  return says_more ? remarked(value, remark) : value;
}

Ref Parser::with_words_before(const std::string& words, Ref value) {
  if (is_label(words)) return value;
  const auto remark = plain_remark(words);
  if (is_optional_remark(remark)) return remarked(value, remark);
  const bool number = stands_for_number({value});
  if (!is_set_like(tree_, value)) {
    if (const auto operation = operation_before(remark))
      return worked_out(tree_, *operation, value);
  }
  if (number && !changes_number_after(remark)) return value;
  return remarked(value, remark);
}

/// Words after a factor: \text{cm}^2, inches, km/h, but also 5 dozen and n odd. True if any were there.
bool Parser::take_unit(std::vector<Ref>& factors) {
  const auto is_unit = [](const Token& token) {
    return token.kind == TokenKind::Text ||
           (token.kind == TokenKind::Word &&
            (token.text.size() >= 4 || is_short_unit(token.text) || is_short_word(token.text)));
  };
  const auto may_follow = [](const Token& token) {
    return token.kind == TokenKind::Text || token.kind == TokenKind::Word ||
           (token.kind == TokenKind::Symbol && is_letter_unit(token.text));
  };
  if (!is_unit(peek())) return false;
  std::string words;
  do {
    // km/h, kg\cdot m
    if (at(TokenKind::Operator)) next();
    const auto word = next().text;
    if (is_hedge(word)) refuse("words that are no unit");
    words += (words.empty() ? "" : " ") + word;
    if (take(TokenKind::Operator, "^")) exponent();
  } while (may_follow(peek()) ||
           ((at(TokenKind::Operator, "/") || at(TokenKind::Operator, "*")) && may_follow(peek(1))));
  if (starts_operand()) refuse("more after a unit");
  const bool number = stands_for_number(factors);
  const auto value = number ? factors.back() : tree_.product(factors);
  const auto said = with_words_after(value, words, number);
  if (number)
    factors.back() = said;
  else
    factors = {said};
  return true;
}

}  // namespace aha::math
