#include <algorithm>

#include "rewards/math/numeral.h"
#include "rewards/math/prose_scanner.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;

bool is_operator(char c) {
  return std::string_view("+-*/^=<>").find(c) != kNone;
}

constexpr std::size_t kLongestNumeral = 400;
constexpr std::size_t kLongestWord = 8;    // of those with a meaning: "infinity"
constexpr std::size_t kShortestScale = 7;  // "hundred"

/// Functions that are no words of English are known without brackets.
Part named(std::string_view word) {
  constexpr std::string_view kFunctions[] = {"sin", "cos", "tan",    "log",    "ln",     "cot",
                                             "sec", "csc", "arcsin", "arccos", "arctan", "cbrt"};
  return std::find(std::begin(kFunctions), std::end(kFunctions), word) != std::end(kFunctions)
             ? Part::Prefix
             : Part::Break;
}

}  // namespace

bool ends_operand(Part part) {
  return part == Part::Number || part == Part::Operand || part == Part::Postfix ||
         part == Part::Close;
}

Item Scanner::next() const {
  const char c = text_[at_];
  if (starts_numeral(text_.substr(at_))) {
    const auto numeral = read_numeral(text_.substr(at_, kLongestNumeral), depth_ > 0);
    return item(Part::Number, std::max<std::size_t>(numeral.size, 1));
  }
  if (is_letter(c)) return word();
  if (c == '\\') return command();
  if (static_cast<unsigned char>(c) > 127) return character();
  return sign(c);
}

/// The bytes of "a.m." and "PM" behind a number, 0 where there is none.
std::size_t Scanner::half_of_day() const {
  if (!after_number()) return 0;
  const auto text = lower(text_.substr(at_, 4));
  for (const std::string_view half : {"a.m.", "p.m.", "a.m", "p.m", "am", "pm"}) {
    if (text.starts_with(half) && !is_letter(peek(half.size()))) return half.size();
  }
  return 0;
}

Item Scanner::word() const {
  if (const auto half = half_of_day()) return item(Part::Postfix, half);
  auto end = at_;
  while (end < text_.size() && is_letter(text_[end]))
    ++end;
  const auto word = text_.substr(at_, end - at_);
  const auto size = word.size();
  const char after = peek(size);
  if (after == '\'' || after_apostrophe()) return item(Part::Break, size);
  if (space_ && (size > 1 || after_number())) {
    if (const auto unit = powered_unit(text_.substr(at_))) return item(Part::Break, unit);
  }
  if (const auto meaning = size > 1 && size <= kLongestWord ? word_meaning(word) : std::nullopt) {
    switch (meaning->kind) {
      case TokenKind::Function:
      case TokenKind::Command:
        // "max" and "min" are words as well
        return item(after == '(' || word == "sqrt" || glued() || is_digit(after) ? Part::Prefix
                                                                                 : named(word),
                    size);
      case TokenKind::Constant:
      case TokenKind::Symbol:
        return item(Part::Operand, size);
      case TokenKind::Percent:
      case TokenKind::Degree:
        return item(Part::Postfix, size);
      case TokenKind::Operator:
        return item(after == ' ' && is_digit(peek(size + 1)) ? Part::Binary : Part::Break, size);
      default:
        break;
    }
  }
  if (after_operand() && size >= kShortestScale &&
      named_scale({TokenKind::Word, std::string(word)}))
    return item(Part::Postfix, size);
  if (word == "x" && is_times()) return item(Part::Binary, size);
  if (is_digit(after)) {
    if (glued()) return item(Part::Operand, size);
    return item(Part::Break, size + name_rest(at_ + size));  // "A2"
  }
  if (glued() || (after == '^' && after_number())) return item(Part::Operand, size);
  return item(size == 1 && is_variable(word[0]) ? Part::Operand : Part::Break, size);
}

/// A letter alone is a name where signs are beside it; a small one also elsewhere, but for "a".
bool Scanner::is_variable(char letter) const {
  const auto rest = trimmed(text_.substr(at_ + 1, 4));
  const bool before_sign = !rest.empty() && is_operator(rest[0]);
  const bool after_sign = !items_.empty() && !after_operand();
  if (before_sign || after_sign || peek(1) == '(') return true;
  return letter >= 'b' && letter <= 'z';
}

/// The x of "5 x 3", "5 x $3" and "5x3" between numbers.
bool Scanner::is_times() const {
  if (!after_number()) return false;
  const char next = space_ && peek(1) == ' ' ? peek(2) : peek(1);
  return is_digit(next) || next == '$';
}

/// "It's", also with another apostrophe.
bool Scanner::after_apostrophe() const {
  if (!items_.empty() || space_ || at_ == 0) return false;
  return text_[at_ - 1] == '\'' || static_cast<unsigned char>(text_[at_ - 1]) > 127;
}

/// The rest of a name such as "A2" or "B12b".
std::size_t Scanner::name_rest(std::size_t from) const {
  auto end = from;
  while (end < text_.size() && (is_digit(text_[end]) || is_letter(text_[end])))
    ++end;
  return end - from;
}

Item Scanner::sign(char c) const {
  const char after = peek(1);
  const bool spaced = after == ' ' || after == '\0' || after == '\n';
  switch (c) {
    case '-':
      if (after == '>') return item(Part::Break, 2);
      if (spaced && begins_line()) return item(Part::Break, 1);  // of a list
      if (!space_ && items_.empty() && at_ > 0 && is_letter(text_[at_ - 1]))
        return item(Part::Break, 1);  // a hyphen
      return item(Part::Sign, 1);
    case '+':
      return item(Part::Sign, 1);
    case '*':
    case '/':
    case '^':
    case '_':
      return item(Part::Binary, 1);
    case '=':
      if (after == '>') return item(Part::Break, 2);
      return item(Part::Equals, after == '=' ? 2 : 1);
    case '<':
    case '>':
      return relation(c);
    case '%':
      return item(Part::Postfix, 1);
    case '!':
      if (after == '=') return item(Part::Relation, 2);
      if (is_digit(after) && (at_ == 0 || !is_letter(text_[at_ - 1])))
        return item(after_operand() ? Part::Postfix : Part::Prefix, 1);
      return item(glued() && (!spaced || is_operator(peek(2))) ? Part::Postfix : Part::Break, 1);
    case '~':
      return item(glued() && is_digit(after) ? Part::Binary : Part::Break, 1);
    case ':':
      return item(is_ratio() ? Part::Binary : Part::Break, 1);
    case '|':
      return item(space_ && spaced ? Part::Break : Part::Operand, 1);
    case '(':
    case '[':
    case '{':
      // "18 (9 of each)" is a remark
      return item(space_ && after_operand() ? Part::Break : Part::Open, 1);
    case ')':
    case ']':
    case '}':
      return item(depth_ > 0 ? Part::Close : Part::Break, 1);
    case ',':
    case ';':
      return item(depth_ > 0 || (glued() && goes_on_behind_comma()) ? Part::Separator : Part::Break,
                  1);
    case '$':
      return item(is_digit(after) || after == '-' || after == '.' ? Part::Prefix : Part::Break, 1);
    case '.':
      return item(after == '.' && goes_on() ? Part::Postfix : Part::Break, after == '.' ? 3 : 1);
    default:
      return item(Part::Break, 1);
  }
}

Item Scanner::relation(char c) const {
  const char after = peek(1);
  if (after == c) return item(Part::Break, 2);  // "<<4+3=7>>"
  const bool quotes = begins_line() || (at_ == 0 && text_.starts_with("> *"));
  if (c == '>' && quotes) return item(Part::Break, 1);
  if (c == '<' && (is_letter(after) || after == '/')) {
    const auto close = text_.substr(at_, 24).find('>');
    if (close != kNone) return item(Part::Break, close + 1);  // a tag
  }
  return item(Part::Relation, after == '=' ? 2 : 1);
}

bool Scanner::begins_line() const {
  for (auto at = at_; at > 0; --at) {
    if (text_[at - 1] == '\n') return true;
    if (text_[at - 1] != ' ') return false;
  }
  return false;
}

/// 3:7 or 3 : 7; but "Day 3: 7".
bool Scanner::is_ratio() const {
  if (!after_number()) return false;
  return space_ ? peek(1) == ' ' && is_digit(peek(2)) : is_digit(peek(1));
}

/// "2,74" and "1,i,-i", without a space.
bool Scanner::goes_on_behind_comma() const {
  const char after = peek(1);
  return is_digit(after) || after == '-' || after == '\\' ||
         (is_letter(after) && !is_letter(peek(2)));
}

/// "0.333..."
bool Scanner::goes_on() const {
  if (space_ || !after_number()) return false;
  return text_.substr(items_.back().begin, at_ - items_.back().begin).find('.') != kNone;
}

}  // namespace aha::math
