#include <algorithm>

#include "rewards/math/canonical.h"
#include "rewards/math/equivalence.h"
#include "rewards/math/parser.h"
#include "rewards/math/phrases.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::size_t kMostWords = 200;

/// "1,22" and "2,74": one number with a decimal comma, or two. Before three digits the comma parts thousands and
/// nothing else.
std::optional<std::string> decimal_comma(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos || text.size() - comma < 3) return std::nullopt;
  if (text.size() - comma == 4) return std::nullopt;
  auto number = std::string(text);
  number[comma] = '.';
  const auto sign = number.starts_with('-') ? std::size_t{1} : std::size_t{0};
  if (comma == sign) return std::nullopt;
  for (auto i = sign; i < number.size(); ++i) {
    if (i != comma && !is_digit(number[i])) return std::nullopt;
  }
  return number;
}

/// BEEF_{16}: digits and capital letters that are the digits of a base above 10 may be one numeral. "A_{12}" is none.
std::optional<std::string> letter_numeral(std::string_view text) {
  const auto mark = text.find('_');
  if (mark == std::string_view::npos || mark < 2) return std::nullopt;
  const auto digits = text.substr(0, mark);
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!std::all_of(digits.begin(), digits.end(),
                   [&](char c) { return is_digit(c) || is_capital(c); }) ||
      std::none_of(digits.begin(), digits.end(), is_capital))
    return std::nullopt;
  auto base = text.substr(mark + 1);
  if (base.starts_with('{') && base.ends_with('}')) base = base.substr(1, base.size() - 2);
  if (base.size() != 2 || !is_digit(base[0]) || !is_digit(base[1])) return std::nullopt;
  return "\\text{" + std::string(digits) + "}_{" + std::string(base) + "}";
}

/// 3:4, whose value is 3/4.
std::optional<Ref> ratio(Tree& tree, Ref ref) {
  const auto node = tree[ref];
  if (node.kind != Kind::Relation || node.name != std::string(1, sign::kRatio)) return std::nullopt;
  const auto& top = tree[node.items[0]];
  const auto& bottom = tree[node.items[1]];
  if (top.kind != Kind::Number || bottom.kind != Kind::Number || bottom.value.is_zero())
    return std::nullopt;
  return tree.number(top.value / bottom.value);
}

/// Words and what stands between words; no formula.
bool is_prose(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) > 127;
  };
  return std::any_of(text.begin(), text.end(), letter) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || is_digit(c) ||
                  std::string_view(" .,:;'\"()-!?&").find(c) != std::string_view::npos;
         });
}

/// Bob, Red: letters spelled as a word, which as a product of three would be odd.
bool has_word(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_digit)) return false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_letter(text[at])) continue;
    const auto begin = at;
    while (at < text.size() && is_letter(text[at]))
      ++at;
    const auto rest = text.substr(begin + 1, at - begin - 1);
    const bool small = std::all_of(rest.begin(), rest.end(), [](char c) { return c >= 'a'; });
    const bool capital = text[begin] < 'a';
    const bool vowel = rest.find_first_of("aeiouy") != std::string_view::npos;
    if (capital && small && vowel && rest.size() >= 2) return true;
  }
  return false;
}

/// Of \text{...} and the like that is all of the answer, what stands in it.
std::string_view unwrapped(std::string_view text) {
  for (const std::string_view command :
       {"\\text{", "\\mbox{", "\\textbf{", "\\textit{", "\\textrm{", "\\mathrm{", "\\mathbf{",
        "\\textnormal{", "\\boxed{", "\\displaystyle ", "\\text {"}) {
    if (!text.starts_with(command) || text == "\\mathbf{R}") continue;
    auto inner = text.substr(command.size());
    if (command.ends_with(' ')) return trimmed(inner);
    if (inner.ends_with('}') && inner.find('}') == inner.size() - 1)
      return trimmed(inner.substr(0, inner.size() - 1));
  }
  return text;
}

/// "abc" is those letters in that order, and no product.
bool is_quoted_word(std::string_view text) {
  return text.size() > 3 && text.starts_with('"') && text.ends_with('"') &&
         std::all_of(text.begin() + 1, text.end() - 1, is_letter);
}

std::string_view bare(std::string_view text) {
  for (;;) {
    auto shorter = trimmed(text);
    while (!shorter.empty() &&
           (shorter.back() == '.' || shorter.back() == '\\' || shorter.back() == ',' ||
            shorter.back() == ';') &&
           !shorter.ends_with("..") && !shorter.ends_with("\\\\"))
      shorter = trimmed(shorter.substr(0, shorter.size() - 1));
    for (const std::string_view mark : {"$$", "$", "**", "`", "\""}) {
      if (mark == "\"" && is_quoted_word(shorter)) continue;
      if (shorter.size() >= 2 * mark.size() && shorter.starts_with(mark) && shorter.ends_with(mark))
        shorter = shorter.substr(mark.size(), shorter.size() - 2 * mark.size());
    }
    for (const auto& [open, close] :
         {std::pair<std::string_view, std::string_view>{"\\(", "\\)"}, {"\\[", "\\]"}}) {
      if (shorter.size() >= 4 && shorter.starts_with(open) && shorter.ends_with(close))
        shorter = shorter.substr(2, shorter.size() - 4);
    }
    shorter = unwrapped(trimmed(shorter));
    if (shorter.size() == text.size()) return text;
    text = shorter;
  }
}

}  // namespace

Readings readings_of(Tree& tree, std::string_view text, std::string& problem) {
  Readings readings;
  const auto inner = bare(text);
  if (inner.empty()) {
    problem = "nothing there";
    return readings;
  }
  try {
    readings.push_back(parsed(tree, inner));
  } catch (const Refusal& refusal) {
    problem = refusal.reason;
  }
  if (!readings.empty()) {
    if (const auto value = ratio(tree, readings[0])) readings.push_back(*value);
  }
  if (const auto numeral = letter_numeral(inner)) {
    try {
      readings.push_back(parsed(tree, *numeral));
    } catch (const Refusal&) {  // a digit beyond its base
    }
  }
  if (const auto number = decimal_comma(inner))
    readings.push_back(tree.number(fraction_of(*number), true));
  if (inner.size() <= kMostWords && is_prose(inner)) {
    const auto plain = plain_words(inner);
    if (const auto meant = phrase(tree, plain)) return {*meant};
    if (plain.size() > 1 && (readings.empty() || tree[readings[0]].kind != Kind::Text)) {
      const auto words = tree.add({.kind = Kind::Text, .name = std::string(inner)});
      readings.insert(has_word(inner) ? readings.begin() : readings.end(), words);
    }
  }
  return readings;
}

bool is_mathematics(std::string_view text) {
  try {
    Tree tree;
    return tree[parsed(tree, bare(text))].kind != Kind::Text;
  } catch (const Refusal&) {
    return false;
  }
}

}  // namespace aha::math
