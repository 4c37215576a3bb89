#include "trainer/core/json_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace aha {
namespace {

constexpr std::string_view kDigits = "0123456789";

/// A number's value: its digits, without zeros at the ends, times a power of ten.
struct Decimal {
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

/// Of a JSON number; nothing where its exponent is beyond 64 bits. The sign is left out.
std::optional<Decimal> decimal_of(std::string_view number) {
  Decimal value;
  const auto mark = std::min(number.find_first_of("eE"), number.size());
  if (mark < number.size()) {
    auto power = number.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto end = power.data() + power.size();
    if (std::from_chars(power.data(), end, value.exponent).ec != std::errc()) return std::nullopt;
  }
  bool behind_point = false;
  for (const char c : number.substr(0, mark)) {
    if (c == '.') behind_point = true;
    if (kDigits.find(c) == std::string_view::npos) continue;
    value.digits += c;
    if (behind_point) --value.exponent;
  }
  value.digits.erase(0, std::min(value.digits.find_first_not_of('0'), value.digits.size()));
  while (value.digits.ends_with('0')) {
    value.digits.pop_back();
    ++value.exponent;
  }
  if (value.digits.empty()) value.exponent = 0;
  return value;
}

template <class Number>
bool fits(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Whether Json holds the value that is written.
bool is_kept(std::string_view number) {
  if (number.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t whole = 0;
    std::uint64_t positive = 0;
    return fits(number, whole) || fits(number, positive);
  }
  double value = 0;
  return fits(number, value) && decimal_of(number) == decimal_of(Json(value).dump());
}

/// JSON's grammar: what it does not read stays an error of the parser's.
bool is_number(std::string_view text) {
  const auto digits = [&text] {
    const auto count = std::min(text.find_first_not_of(kDigits), text.size());
    text.remove_prefix(count);
    return count > 0;
  };
  const auto taken = [&text](char c) {
    const bool there = text.starts_with(c);
    if (there) text.remove_prefix(1);
    return there;
  };
  taken('-');
  if (!taken('0') && !digits()) return false;
  if (taken('.') && !digits()) return false;
  if (taken('e') || taken('E')) {
    if (!taken('+')) taken('-');
    if (!digits()) return false;
  }
  return text.empty();
}

/// A JSON text in which the numbers that would be rounded when it is parsed are texts of what is written:
/// {"a":1e400} becomes {"a":"1e400"}. Nothing when there is none. What is no JSON stays none.
std::optional<std::string> with_exact_numbers(std::string_view text) {
  std::string exact;
  std::size_t copied = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\') ++i;
    if (in_string || i >= text.size() || (text[i] != '-' && kDigits.find(text[i]) == text.npos))
      continue;
    const auto end = std::min(text.find_first_not_of("0123456789+-.eE", i), text.size());
    const auto number = text.substr(i, end - i);
    if (is_number(number) && !is_kept(number)) {
      exact += text.substr(copied, i - copied);
      exact.append(1, '"').append(number).append(1, '"');
      copied = end;
    }
    i = end - 1;
  }
  if (copied == 0) return std::nullopt;
  exact += text.substr(copied);
  return exact;
}

}  // namespace

Json parse_row(std::string_view text, std::string_view where) {
  const auto exact = with_exact_numbers(text);
  return parse_json(exact ? std::string_view(*exact) : text, where);
}

OrderedJson parse_ordered_row(std::string_view text) {
  const auto exact = with_exact_numbers(text);
  return OrderedJson::parse(exact ? std::string_view(*exact) : text);
}

std::string members_as_written(std::string_view object, std::span<const std::string_view> without) {
  std::string members;
  std::string member;
  std::string key;
  int depth = 0;
  bool in_string = false;
  const auto close = [&] {
    if (!member.empty() && std::find(without.begin(), without.end(),
                                     Json::parse(key).get<std::string>()) == without.end())
      members.append(members.empty() ? "" : ",").append(member);
    member.clear();
    key.clear();
  };
  for (std::size_t i = 0; i < object.size(); ++i) {
    const char c = object[i];
    const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!in_string && space) continue;
    if (!in_string && (c == '{' || c == '[') && ++depth == 1) continue;
    if (!in_string && (c == '}' || c == ']') && --depth == 0) break;
    if (!in_string && depth == 1 && c == ',') {
      close();
      continue;
    }
    if (!in_string && depth == 1 && c == ':' && key.empty()) key = member;
    member += c;
    if (in_string && c == '\\') member += object[++i];
    if (c == '"') in_string = !in_string;
  }
  close();
  return members;
}

}  // namespace aha
