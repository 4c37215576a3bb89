// Characters outside ASCII in running text.
#include "rewards/math/prose_scanner.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

/// A character of two or three bytes; others are no mathematics.
struct Character {
  unsigned code = 0;
  std::size_t size = 1;
};

Character character_of(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto first = byte(0);
  if (first >= 0xC2 && first < 0xE0) return {(first & 0x1FU) << 6U | (byte(1) & 0x3FU), 2};
  if (first >= 0xE0 && first < 0xF0)
    return {(first & 0xFU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU), 3};
  return {};
}

bool is_raised(unsigned code) {
  return code == 0xB2 || code == 0xB3 || code == 0xB9 || (code >= 0x2070 && code < 0x2080);
}

bool is_arrow(unsigned code) {
  return code >= 0x2190 && code < 0x2200;
}

/// Signs of which we know only that they make another value of a number: subscripts, per mille, "not", operators.
bool is_sign(unsigned code) {
  constexpr unsigned kEndOfProof = 0x220E;
  constexpr unsigned kTherefore = 0x2234;
  constexpr unsigned kBecause = 0x2235;
  if (code == kEndOfProof || code == kTherefore || code == kBecause) return false;
  return code == 0xAC || code == 0x66A || code == 0x2030 || code == 0x2031 || code == 0x2033 ||
         (code >= 0x2080 && code < 0x20A0) || (code >= 0x2200 && code < 0x2300) ||
         (code >= 0x27C0 && code < 0x27F0) || (code >= 0x2A00 && code < 0x2B00);
}

}  // namespace

Item Scanner::character() const {
  const auto rest = text_.substr(at_);
  const auto [code, bytes] = character_of(rest);
  if (is_raised(code)) return item(Part::Postfix, bytes);
  std::size_t size = 0;
  const auto meaning = character_meaning(rest, size);
  if (!meaning) return unknown_sign(is_arrow(code), is_sign(code), bytes);
  switch (meaning->kind) {
    case TokenKind::Operator:
      if (rest.starts_with("\u2013") && space_ && !after_operand() && !is_minus(size))
        return item(Part::Break, size);  // a dash between words
      return item(meaning->text == "-" || meaning->text == "p" ? Part::Sign : Part::Binary, size);
    case TokenKind::Command:
      return item(Part::Prefix, size);
    case TokenKind::Constant:
    case TokenKind::Symbol:
      return item(Part::Operand, size);
    case TokenKind::Relation:
      return item(Part::Relation, size);
    case TokenKind::SetSign:
      return item(Part::Binary, size);
    case TokenKind::Degree:
    case TokenKind::Prime:
      return item(Part::Postfix, size);
    case TokenKind::Ellipsis:
      return item(glued() ? Part::Postfix : Part::Break, size);
    case TokenKind::Skip:
      return item(after_operand() ? Part::Break : Part::Prefix, size);
    default:
      return item(Part::Break, size);
  }
}

/// A sign without a meaning here belongs to the number that it is glued to; an arrow only between two.
Item Scanner::unknown_sign(bool arrow, bool sign, std::size_t size) const {
  const bool before_digit = is_digit(peek(size));
  if (glued() && before_digit && (arrow || sign)) return item(Part::Binary, size);
  if (!sign) return item(Part::Break, size);
  if (glued()) return item(Part::Postfix, size);
  return item(before_digit ? Part::Prefix : Part::Break, size);
}

/// A dash of so many bytes right before a number, and not that of a list.
bool Scanner::is_minus(std::size_t size) const {
  return !begins_line() && is_digit(peek(size) == ' ' ? peek(size + 1) : peek(size));
}

}  // namespace aha::math
