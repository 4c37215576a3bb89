#include <algorithm>

#include "rewards/math/prose.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::string_view kLongUnits[] = {
    "unit",       "units",       "inch",       "inches",      "foot",      "feet",
    "yard",       "yards",       "mile",       "miles",       "meter",     "meters",
    "metre",      "metres",      "centimeter", "centimeters", "kilometer", "kilometers",
    "millimeter", "millimeters", "hour",       "hours",       "second",    "seconds"};

bool is_known(std::string_view word) {
  return is_short_unit(word) || is_letter_unit(word) || holds(kLongUnits, word);
}

std::size_t letters_of(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && is_letter(text[size]))
    ++size;
  return size;
}

/// The bytes of "^2", "^{-1}", "**3" or a raised digit; 0 where a text does not begin with one.
std::size_t power_of(std::string_view text) {
  for (const std::string_view raised : {"\u00B2", "\u00B3"}) {
    if (text.starts_with(raised)) return raised.size();
  }
  auto end = text.starts_with("**") ? 2 : text.starts_with('^') ? 1 : text.size();
  const bool braced = end < text.size() && text[end] == '{';
  end += braced ? 1 : 0;
  end += end < text.size() && text[end] == '-' ? 1 : 0;
  if (end >= text.size() || !is_digit(text[end])) return 0;
  ++end;
  if (!braced) return end;
  return end < text.size() && text[end] == '}' ? end + 1 : 0;
}

}  // namespace

std::size_t powered_unit(std::string_view text) {
  bool powered = false;
  bool word = false;
  for (std::size_t at = 0;;) {
    const auto letters = letters_of(text.substr(at));
    if (letters == 0 || !is_known(text.substr(at, letters))) return 0;
    word = word || letters > 1;
    at += letters;
    const auto power = power_of(text.substr(at));
    powered = powered || power > 0;
    at += power;
    const bool more =
        at + 1 < text.size() && (text[at] == '/' || text[at] == '*') && is_letter(text[at + 1]);
    if (!more) return powered && word ? at : 0;
    ++at;
  }
}

}  // namespace aha::math
