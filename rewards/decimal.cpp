#include "rewards/decimal.h"

#include <algorithm>

#include "rewards/text_scan.h"

namespace aha {
namespace {

constexpr std::string_view kMinusSign = "\xE2\x88\x92";  // U+2212

/// Where a number stands, sign and currency sign apart.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::size_t digits_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at]))
    ++at;
  return at;
}

std::optional<Span> next_span(std::string_view text, std::size_t from) {
  for (auto at = from; at < text.size(); ++at) {
    if (text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]))
      return Span{at, digits_end(text, at + 1)};
    if (!is_digit(text[at])) continue;
    auto end = digits_end(text, at);
    if (end - at <= 3) {
      while (end < text.size() && text[end] == ',' && digits_end(text, end + 1) == end + 4)
        end += 4;
    }
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]))
      end = digits_end(text, end + 1);
    return Span{at, end};
  }
  return std::nullopt;
}

bool may_precede_sign(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return !letter && !is_digit(c) && c != ')';
}

/// Digits without commas, leading zeros of the whole part and trailing zeros of the fraction.
std::string canonical(std::string_view digits, bool negative) {
  const auto point = std::min(digits.find('.'), digits.size());
  std::string whole(digits.substr(0, point));
  whole.erase(std::remove(whole.begin(), whole.end(), ','), whole.end());
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  auto fraction = digits.substr(std::min(point + 1, digits.size()));
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  if (whole.empty()) whole = "0";
  std::string value = fraction.empty() ? whole : whole + "." + std::string(fraction);
  return negative && value != "0" ? "-" + value : value;
}

WrittenNumber written(std::string_view text, Span span) {
  auto begin = span.begin;
  if (begin > 0 && text[begin - 1] == '$') --begin;
  bool negative = false;
  const auto before = text.substr(0, begin);
  const std::size_t sign = before.ends_with('-') ? 1 : before.ends_with(kMinusSign) ? 3 : 0;
  if (sign > 0 && (sign == begin || may_precede_sign(text[begin - sign - 1]))) {
    negative = true;
    begin -= sign;
    if (begin > 0 && text[begin - 1] == '$') --begin;  // "$-5"
  }
  return {begin, span.end, canonical(text.substr(span.begin, span.end - span.begin), negative)};
}

}  // namespace

std::optional<WrittenNumber> first_number(std::string_view text, std::size_t from) {
  const auto span = next_span(text, from);
  if (!span) return std::nullopt;
  return written(text, *span);
}

std::optional<WrittenNumber> last_number(std::string_view text) {
  std::optional<Span> last;
  for (auto span = next_span(text, 0); span; span = next_span(text, span->end))
    last = span;
  if (!last) return std::nullopt;
  return written(text, *last);
}

std::optional<std::string> sole_number(std::string_view text) {
  text = trimmed(text);
  const auto number = first_number(text);
  if (!number || number->begin != 0 || number->end != text.size()) return std::nullopt;
  return number->value;
}

}  // namespace aha
