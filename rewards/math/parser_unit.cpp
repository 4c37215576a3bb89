#include "rewards/math/canonical.h"
#include "rewards/math/meaning.h"
#include "rewards/math/parser_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/units.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

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

/// By value: the words of a node would move with the nodes that are added.
Ref Parser::with_words_before(std::string words, Ref value) {
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
  } while (may_follow(peek()) || ((at(TokenKind::Operator, "/") || at(TokenKind::Operator, "*") ||
                                   at(TokenKind::Operator, "x")) &&
                                  may_follow(peek(1))));
  const bool nested = factors.size() == 1 && stands_for_number(factors) && parts_of(words) > 0;
  if (nested) factors = {nested_quantity(factors[0], words)};
  if (starts_operand()) refuse("more after a unit");
  if (!nested) say_after(factors, words);
  return true;
}

/// By value, as with_words_before.
void Parser::say_after(std::vector<Ref>& factors, std::string words) {
  const bool number = stands_for_number(factors);
  const auto value = number ? factors.back() : tree_.product(factors);
  const auto said = with_words_after(value, words, number);
  if (number)
    factors.back() = said;
  else
    factors = {said};
}

/// 11 R 3, 11 remainder 3: behind a whole number, before another one.
bool Parser::opens_remainder(const std::vector<Ref>& factors) const {
  if (factors.size() != 1 || peek(1).kind != TokenKind::Number || !is_whole(tree_, factors[0]))
    return false;
  const auto& word = peek();
  if (word.kind == TokenKind::Symbol) return word.text == "R" || word.text == "r";
  constexpr std::string_view kWords[] = {"r", "remainder", "with remainder", "with remainder of"};
  return (word.kind == TokenKind::Text || word.kind == TokenKind::Word) &&
         holds(kWords, plain_remark(word.text));
}

/// Behind "5 feet", before "6 inches" or "and 6 inches": how many tokens ahead the smaller unit stands, else 0.
std::size_t Parser::parts_of(std::string_view words) const {
  const auto unit = nested_unit(words);
  const std::size_t number = at(TokenKind::Separator) ? 1 : 0;
  const auto& part = peek(number + 1);
  if (!unit || peek(number).kind != TokenKind::Number ||
      (part.kind != TokenKind::Text && part.kind != TokenKind::Word))
    return 0;
  const auto smaller = nested_unit(part.text);
  return smaller && smaller->kind == unit->kind && smaller->rank > unit->rank ? number + 1 : 0;
}

/// 2 hours 30 minutes: its numbers, in that order, of those units.
Ref Parser::nested_quantity(Ref value, std::string_view unit) {
  std::vector<Ref> numbers = {value};
  auto name = std::string(nested_unit(unit)->name);
  auto words = std::string(unit);
  while (const auto ahead = parts_of(words)) {
    if (ahead > 1) next();
    numbers.push_back(numeral());
    words = next().text;
    name += " " + std::string(nested_unit(words)->name);
  }
  return remarked(tree_.add({.kind = Kind::Tuple, .name = "()", .items = std::move(numbers)}),
                  name);
}

}  // namespace aha::math
