#include "rewards/math/numeral.h"

#include <algorithm>
#include <optional>

#include "rewards/text_scan.h"

namespace aha::math {
namespace {

std::size_t digits_at(std::string_view text, std::size_t at) {
  auto end = at;
  while (end < text.size() && is_digit(text[end]))
    ++end;
  return end - at;
}

enum class Separator { None, Comma, MarkedComma, Space };

struct Separated {
  Separator kind = Separator::None;
  std::size_t size = 0;
};

std::size_t spaces_at(std::string_view text) {
  return std::min(text.find_first_not_of(' '), text.size());
}

/// What stands between two groups of digits.
Separated separator_at(std::string_view text) {
  const auto blank = spaces_at(text);
  auto rest = text.substr(blank);
  if (rest.starts_with('{')) {
    const auto close = rest.find('}');
    if (close != std::string_view::npos && close <= 4 && trimmed(rest.substr(1, close - 1)) == ",")
      return {Separator::MarkedComma, blank + close + 1};
  }
  if (rest.starts_with(",\\!"))
    return {Separator::MarkedComma, blank + 3 + spaces_at(rest.substr(3))};
  if (text.starts_with("\\,") || text.starts_with("\\ ")) return {Separator::Space, 2};
  if (text.starts_with(',')) return {Separator::Comma, 1};
  if (text.starts_with(' ') || text.starts_with('~')) return {Separator::Space, 1};
  for (const std::string_view space : {"\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF"}) {
    if (text.starts_with(space)) return {Separator::Space, space.size()};
  }
  return {};
}

/// Groups of three digits after a first one of one to three: the bytes they take.
std::size_t groups_at(std::string_view text, bool listed, std::string& digits) {
  std::size_t at = 0;
  auto kind = Separator::None;
  std::string groups;
  bool zero_first = false;
  for (;;) {
    const auto found = separator_at(text.substr(at));
    if (found.kind == Separator::None || (kind != Separator::None && found.kind != kind)) break;
    if (digits_at(text, at + found.size) != 3) break;
    kind = found.kind;
    const auto group = text.substr(at + found.size, 3);
    zero_first = zero_first || group[0] == '0';
    groups += group;
    at += found.size + 3;
  }
  if (kind == Separator::Comma && listed && !zero_first) return 0;
  digits += groups;
  return at;
}

/// Digits of a repeating part: \overline{6}, \dot{3}, and right behind the point (3); 0.5(3) may be a product.
std::optional<std::pair<std::string, std::size_t>> repeating_at(std::string_view text, bool first) {
  if (first && text.starts_with('(')) {
    const auto count = digits_at(text, 1);
    if (count == 0 || count > 50 || !text.substr(1 + count).starts_with(')')) return std::nullopt;
    return std::pair{std::string(text.substr(1, count)), count + 2};
  }
  for (const std::string_view mark : {"\\overline{", "\\overline ", "\\dot{", "\\bar{"}) {
    if (!text.starts_with(mark)) continue;
    const auto count = digits_at(text, mark.size());
    if (count == 0 || count > 50) return std::nullopt;
    auto size = mark.size() + count;
    if (mark.ends_with('{')) {
      if (size >= text.size() || text[size] != '}') return std::nullopt;
      ++size;
    }
    return std::pair{std::string(text.substr(mark.size(), count)), size};
  }
  return std::nullopt;
}

/// The digits of 0.1666..., as of 0.1(6): the shortest block that ends them three times, or twice if it is longer than
/// a digit. Nothing where they do not repeat.
std::optional<std::string> with_block(std::string_view decimals) {
  for (std::size_t period = 1; 2 * period <= decimals.size(); ++period) {
    const std::size_t times = period == 1 ? 3 : 2;
    if (times * period > decimals.size()) continue;
    const auto tail = decimals.substr(decimals.size() - times * period);
    if (tail.substr(period) != tail.substr(0, tail.size() - period)) continue;
    return std::string(decimals.substr(0, decimals.size() - period)) + "(" +
           std::string(tail.substr(0, period)) + ")";
  }
  return std::nullopt;
}

/// The bytes of an ellipsis.
std::size_t ellipsis_at(std::string_view text) {
  for (const std::string_view mark : {"...", "\\ldots", "\\dots", "\\cdots", "\u2026"}) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

/// A decimal comma between braces, 0{,}5: before three digits it parts thousands.
bool decimal_comma_at(std::string_view text) {
  if (!text.starts_with("{,}")) return false;
  const auto count = digits_at(text, 3);
  return count > 0 && count != 3;
}

struct VulgarFraction {
  std::string_view character;
  std::string_view value;
};

constexpr VulgarFraction kVulgarFractions[] = {
    {"\u00BC", "1/4"},  {"\u00BD", "1/2"}, {"\u00BE", "3/4"}, {"\u2150", "1/7"}, {"\u2151", "1/9"},
    {"\u2152", "1/10"}, {"\u2153", "1/3"}, {"\u2154", "2/3"}, {"\u2155", "1/5"}, {"\u2156", "2/5"},
    {"\u2157", "3/5"},  {"\u2158", "4/5"}, {"\u2159", "1/6"}, {"\u215A", "5/6"}, {"\u215B", "1/8"},
    {"\u215C", "3/8"},  {"\u215D", "5/8"}, {"\u215E", "7/8"}};

const VulgarFraction* vulgar_at(std::string_view text) {
  if (text.empty() || static_cast<unsigned char>(text[0]) < 128) return nullptr;
  for (const auto& fraction : kVulgarFractions) {
    if (text.starts_with(fraction.character)) return &fraction;
  }
  return nullptr;
}

}  // namespace

bool starts_numeral(std::string_view text) {
  if (text.empty()) return false;
  return is_digit(text[0]) || (text[0] == '.' && text.size() > 1 && is_digit(text[1])) ||
         vulgar_at(text);
}

Numeral read_numeral(std::string_view text, bool listed) {
  Numeral numeral;
  auto at = digits_at(text, 0);
  numeral.text = text.substr(0, at);
  if (at >= 1 && at <= 3) {
    const auto before = numeral.text;
    const auto size = groups_at(text.substr(at), listed, numeral.text);
    if (size > 0 && before[0] == '0' && text[at] == ',')
      numeral.text.insert(before.size(), ".");  // "0,111"
    at += size;
  }
  const auto blank = at > 0 && text.substr(at).starts_with(' ') ? std::size_t{1} : std::size_t{0};
  if (const auto* fraction = vulgar_at(text.substr(at + blank))) {
    numeral.text = (at == 0 ? "0" : numeral.text) + " " + std::string(fraction->value);
    numeral.size = at + blank + fraction->character.size();
    return numeral;
  }
  if (at == numeral.text.size() && decimal_comma_at(text.substr(at))) {
    const auto count = digits_at(text, at + 3);
    numeral.text += "." + std::string(text.substr(at + 3, count));
    numeral.size = at + 3 + count;
    return numeral;
  }
  if (at < text.size() && text[at] == '.' && numeral.text.find('.') == std::string::npos) {
    const auto count = digits_at(text, at + 1);
    const bool repeats = repeating_at(text.substr(at + 1), true).has_value();
    // "5." ends a sentence, and "2.." begins an ellipsis.
    if (count > 0 || repeats) {
      numeral.text += (numeral.text.empty() ? "0" : "") + std::string(text.substr(at, count + 1));
      at += count + 1;
      if (const auto repeating = repeating_at(text.substr(at), count == 0)) {
        numeral.text += "(" + repeating->first + ")";
        at += repeating->second;
      } else if (const auto dots = ellipsis_at(text.substr(at)); dots > 0) {
        if (const auto block = with_block(text.substr(at - count, count))) {
          numeral.text.replace(numeral.text.size() - count, count, *block);
          numeral.size = at + dots;
          return numeral;
        }
      }
    }
  }
  if (at + 1 < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    const bool signed_exponent = text[at + 1] == '-' || text[at + 1] == '+';
    const auto count = digits_at(text, at + 1 + (signed_exponent ? 1 : 0));
    if (count > 0) {
      numeral.text += "e";
      numeral.text += text.substr(at + 1 + (text[at + 1] == '+' ? 1 : 0),
                                  count + (text[at + 1] == '-' ? 1 : 0));
      at += 1 + (signed_exponent ? 1 : 0) + count;
    }
  }
  numeral.size = at;
  return numeral;
}

}  // namespace aha::math
