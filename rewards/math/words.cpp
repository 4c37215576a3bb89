#include <algorithm>

#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

}  // namespace

bool is_negation(std::string_view word) {
  constexpr std::string_view kNegations[] = {"not",   "never",  "neither", "nor",  "except",
                                             "isn't", "aren't", "cannot",  "can't"};
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return holds(kNegations, lower);
}

bool is_hedge(std::string_view words) {
  const auto in_word = [](char c) { return is_letter(c) || c == '\''; };
  for (std::size_t at = 0; at < words.size(); ++at) {
    auto end = at;
    while (end < words.size() && in_word(words[end]))
      ++end;
    const auto word = words.substr(at, end - at);
    if (word == "or" || word == "Or" || word == "OR" || word == "either" || word == "Either" ||
        is_negation(word))
      return true;
    at = end;
  }
  return false;
}

bool is_conjunction(std::string_view separator) {
  constexpr std::string_view kConjunctions[] = {"and", "And", "land", "wedge"};
  return holds(kConjunctions, separator);
}

bool is_ordinal_ending(std::string_view word) {
  return word == "st" || word == "nd" || word == "rd" || word == "th";
}

std::optional<std::int64_t> named_scale(const Token& token) {
  if (token.kind != TokenKind::Word && token.kind != TokenKind::Text) return std::nullopt;
  auto end = std::size_t{0};
  while (end < token.text.size() && is_letter(token.text[end]))
    ++end;
  const auto word = std::string_view(token.text).substr(0, end);
  if (is_hedge(token.text)) return std::nullopt;
  constexpr std::pair<std::string_view, std::int64_t> kScales[] = {{"hundred", 100},
                                                                   {"thousand", 1'000},
                                                                   {"million", 1'000'000},
                                                                   {"billion", 1'000'000'000},
                                                                   {"trillion", 1'000'000'000'000}};
  for (const auto& [name, value] : kScales) {
    if (word == name) return value;
  }
  return std::nullopt;
}

}  // namespace aha::math
