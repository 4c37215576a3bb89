#include "data/tokenizer/jinja_literal.h"

#include <cctype>

#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

bool is_digit(char c, int base) {
  if (base == 16) return std::isxdigit(static_cast<unsigned char>(c)) != 0;
  return c >= '0' && c < '0' + base;
}

/// Digits with single '_' between them: where they end. `leading`: a '_' may come first.
std::size_t digits_end(std::string_view text, std::size_t at, int base, bool leading) {
  bool may_break = leading;
  while (at < text.size()) {
    if (is_digit(text[at], base)) {
      may_break = true;
      ++at;
    } else if (text[at] == '_' && may_break && at + 1 < text.size() &&
               is_digit(text[at + 1], base)) {
      ++at;
    } else {
      break;
    }
  }
  return at;
}

std::size_t float_end(std::string_view text, std::size_t at) {
  const auto whole = digits_end(text, at, 10, false);
  if (whole == at) return at;
  auto end = whole;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1], 10))
    end = digits_end(text, end + 1, 10, false);
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    auto exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    const auto last = digits_end(text, exponent, 10, false);
    if (last > exponent) end = last;
  }
  return end == whole ? at : end;
}

std::size_t integer_end(std::string_view text, std::size_t at) {
  if (text[at] != '0') return digits_end(text, at, 10, false);
  const char mark = at + 1 < text.size() ? static_cast<char>(text[at + 1] | 0x20) : ' ';
  const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
  if (base == 0) return digits_end(text, at, 1, false);
  const auto end = digits_end(text, at + 2, base, true);
  return end == at + 2 ? at + 1 : end;
}

/// The value of `count` hexadecimal digits at `at`; -1 when they are not there.
std::int64_t hex_value(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  std::int64_t value = 0;
  for (const char c : text.substr(at, count)) {
    if (!is_digit(c, 16)) return -1;
    value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

/// Two, four or eight hexadecimal digits after x, u or U: advances `at` behind them.
std::string hex_escape(std::string_view text, std::size_t& at, std::string& out) {
  const char kind = text[at];
  const std::size_t count = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  const auto value = hex_value(text, at + 1, count);
  if (value < 0) return fmt::format("a text literal with a broken '\\{}'", kind);
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    return "a text literal with an escape that is no character";
  append_utf8(static_cast<std::int32_t>(value), out);
  at += count + 1;
  return {};
}

void octal_escape(std::string_view text, std::size_t& at, std::string& out) {
  std::int32_t value = 0;
  for (int i = 0; i < 3 && at < text.size() && is_digit(text[at], 8); ++i)
    value = value * 8 + (text[at++] - '0');
  append_utf8(value, out);
}

/// Jinja writes other characters as escapes first, so a backslash before one stays and doubles as
/// theirs.
void foreign_escape(std::string_view text, std::size_t& at, std::string& out) {
  const auto c = character_at(text, at);
  if (c.code_point < 0x80) {
    out += '\\';
    out += text[at++];
    return;
  }
  const auto point = c.code_point;
  out += point < 0x100     ? fmt::format("\\x{:02x}", point)
         : point < 0x10000 ? fmt::format("\\u{:04x}", point)
                           : fmt::format("\\U{:08x}", point);
  at += c.size;
}

}  // namespace

NumberLiteral number_at(std::string_view text, std::size_t at, bool may_be_float) {
  NumberLiteral found;
  if (at >= text.size() || !is_digit(text[at], 10)) return found;
  auto end = may_be_float ? float_end(text, at) : at;
  found.is_float = end > at;
  if (!found.is_float) end = integer_end(text, at);
  found.size = end - at;
  for (const char c : text.substr(at, found.size))
    if (c != '_') found.digits += c;
  return found;
}

std::string unescaped(std::string_view literal, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"\n";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"";
  for (std::size_t at = 0; at < literal.size();) {
    if (literal[at] != '\\' || at + 1 >= literal.size()) {
      out += literal[at++];
      continue;
    }
    const char c = literal[++at];
    if (const auto known = kLetters.find(c); known != std::string_view::npos) {
      if (known < kMeanings.size()) out += kMeanings[known];
      ++at;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      if (auto problem = hex_escape(literal, at, out); !problem.empty()) return problem;
    } else if (is_digit(c, 8)) {
      octal_escape(literal, at, out);
    } else if (c == 'N') {
      return "a text literal with '\\N', which is not supported";
    } else {
      foreign_escape(literal, at, out);
    }
  }
  return {};
}

}  // namespace aha::jinja
