#include <algorithm>

#include "rewards/math/expression.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
bool is_negation(std::string_view word) {
  constexpr std::string_view kNegations[] = {"not",   "never",  "neither", "nor",  "except",
                                             "isn't", "aren't", "cannot",  "can't"};
  return holds(kNegations, lower(word));
}

bool is_hedge(std::string_view words) {
  constexpr std::string_view kHedges[] = {"or",       "either",  "but",           "maybe",
                                          "possibly", "perhaps", "alternatively", "vs",
                                          "versus",   "unequal", "wrong",         "incorrect"};
  const auto in_word = [](char c) { return is_letter(c) || c == '\''; };
  for (std::size_t at = 0; at < words.size(); ++at) {
    auto end = at;
    while (end < words.size() && in_word(words[end]))
      ++end;
    const auto word = words.substr(at, end - at);
    if (holds(kHedges, lower(word)) || is_negation(word)) return true;
    at = end;
  }
  return false;
}

bool is_short_word(std::string_view word) {
  constexpr std::string_view kWords[] = {"no", "yes", "odd", "two", "six", "ten"};
  const auto rest = word.substr(std::min<std::size_t>(1, word.size()));
  return holds(kWords, lower(word)) && std::none_of(rest.begin(), rest.end(), [](char c) {
           return c >= 'A' && c <= 'Z';  // NO is a segment
         });
}

std::string connective_of(std::string_view separator) {
  if (separator == "and" || separator == "And") return "and";
  if (separator == "or" || separator == "Or") return "or";
  if (separator == "land" || separator == "wedge") return "land";
  if (separator == "lor" || separator == "vee") return "lor";
  return "";
}

bool is_conjunction(std::string_view connective) {
  return connective == "and" || connective == "land";
}

bool is_greek(std::string_view name) {
  constexpr std::string_view kLetters[] = {"alpha", "beta",  "gamma", "delta", "epsilon", "zeta",
                                           "eta",   "theta", "iota",  "kappa", "lambda",  "mu",
                                           "nu",    "xi",    "rho",   "sigma", "tau",     "upsilon",
                                           "phi",   "chi",   "psi",   "omega", "ell"};
  return holds(kLetters, name);
}

std::optional<std::int64_t> named_base(std::string_view word) {
  constexpr std::string_view kBases[] = {"two",   "three", "four", "five",   "six",   "seven",
                                         "eight", "nine",  "ten",  "eleven", "twelve"};
  if (word == "sixteen") return 16;
  const auto* const found = std::find(std::begin(kBases), std::end(kBases), word);
  if (found == std::end(kBases)) return std::nullopt;
  return found - std::begin(kBases) + 2;
}

bool is_spaced_unit(std::string_view name) {
  constexpr std::string_view kUnits[] = {"N", "J", "W", "V", "C", "K", "Omega"};
  return holds(kUnits, name);
}

char negated_sign(char sign) {
  constexpr std::string_view kSigns = "=ce<>LGsSrRPT|a";
  constexpr std::string_view kNegated = "!!nGL><01234567";
  const auto at = kSigns.find(sign);
  return at == std::string_view::npos ? sign::kOther : kNegated[at];
}

bool is_ordinal_ending(std::string_view word) {
  return word == "st" || word == "nd" || word == "rd" || word == "th";
}

std::optional<std::int64_t> named_scale(const Token& token) {
  if (token.kind != TokenKind::Word && token.kind != TokenKind::Text) return std::nullopt;
  auto end = std::size_t{0};
  while (end < token.text.size() && is_letter(token.text[end]))
    ++end;
  auto word = lower(std::string_view(token.text).substr(0, end));
  if (word.ends_with('s')) word.pop_back();
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
