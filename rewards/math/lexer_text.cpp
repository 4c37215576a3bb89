#include <algorithm>

#include "rewards/math/lexer_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

// \text{...} and its like.

namespace aha::math {
namespace {

/// 4\text{i}, 5\text{x}, 5\text{pi}: letters after an operand that are no unit; of units some stand after a space alone.
bool is_factor(std::string_view letters, bool glued) {
  if (letters.size() > 1) {
    const auto meaning = word_meaning(letters == "Pi" ? "pi" : letters);
    return meaning && (meaning->kind == TokenKind::Constant || meaning->kind == TokenKind::Symbol);
  }
  const std::string_view units = glued ? "msghlLNJWVACF" : "msghlLNJWVACFKTd";
  return units.find(letters) == std::string_view::npos;
}

/// cm^2, m\,s^{-2}, kg \cdot m: the names of units alone, if nothing but powers and signs stands between them.
std::optional<std::string> units_with_powers(std::string_view content) {
  if (content.find('^') == std::string_view::npos && content.find('\\') == std::string_view::npos)
    return std::nullopt;
  if (!is_letter(content[0])) return std::nullopt;
  std::string units;
  for (std::size_t at = 0; at < content.size();) {
    auto end = at + 1;
    if (content[at] == '\\' || is_letter(content[at])) {
      while (end < content.size() && is_letter(content[end]))
        ++end;
      const auto word = content.substr(at, end - at);
      if (is_letter(word[0]))
        units += (units.empty() ? "" : " ") + std::string(word);
      else if (word.size() > 1 && word != "\\cdot" && word != "\\times")
        return std::nullopt;
    } else if (is_digit(content[at])
                   ? content[at - 1] != '^' && content[at - 1] != '{' && content[at - 1] != '-'
                   : std::string_view("^{}-/ ,;.").find(content[at]) == std::string_view::npos) {
      return std::nullopt;
    }
    at = end;
  }
  return is_unit_name(units) ? std::optional(units) : std::nullopt;
}

/// The 7 of "(base 7)" and "in base 7".
std::optional<std::string_view> stated_base(std::string_view words) {
  if (words.starts_with('(') && words.ends_with(')')) words = words.substr(1, words.size() - 2);
  if (words.starts_with("in ")) words.remove_prefix(3);
  if (!words.starts_with("base ")) return std::nullopt;
  words = trimmed(words.substr(5));
  const bool number =
      !words.empty() && words.size() < 3 && std::all_of(words.begin(), words.end(), is_digit);
  return number ? std::optional(words) : std::nullopt;
}

/// A digit that is not the end of a word, as in H2.
bool holds_number(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_digit(text[at]) && (at == 0 || !(is_letter(text[at - 1]) || is_digit(text[at - 1]))))
      return true;
  }
  return false;
}

}  // namespace

bool Lexer::after_operand() const {
  if (tokens_.empty()) return false;
  const auto kind = tokens_.back().kind;
  return kind == TokenKind::Number || kind == TokenKind::Close || kind == TokenKind::Symbol ||
         kind == TokenKind::Constant;
}

/// 12\,\mu, before \text{m}.
bool Lexer::counts_micro() const {
  return tokens_.size() > 1 && tokens_.back().text == "mu" &&
         tokens_[tokens_.size() - 2].kind == TokenKind::Number;
}

/// \text{gcd}(a, b), \text{sin } x: something follows that it is applied to. "min" may be minutes.
bool Lexer::names_function(std::string_view word) const {
  const auto meaning = word_meaning(word);
  if (!meaning || meaning->kind != TokenKind::Function || is_short_unit(word)) return false;
  const auto after = trimmed(text_.substr(at_));
  return !after.empty() && (is_letter(after[0]) || is_digit(after[0]) || after[0] == '(' ||
                            after[0] == '{' || after[0] == '\\');
}

void Lexer::text_argument(bool names) {
  const auto raw = argument();
  auto content = trimmed(raw);
  const bool glued = !space_ && content.size() == raw.size();
  while (content.starts_with("\\ ") || content.starts_with('~'))
    content = trimmed(content.substr(content[0] == '~' ? 1 : 2));
  if (content.empty()) return push(TokenKind::Skip, "");
  const bool all_letters = std::all_of(content.begin(), content.end(), is_letter);
  const bool factor = all_letters && is_factor(content, glued);
  const bool after_number = !tokens_.empty() && (tokens_.back().kind == TokenKind::Number ||
                                                 tokens_.back().kind == TokenKind::Close);
  if (names && all_letters && (content.size() == 1 || word_meaning(content)) &&
      (factor || !after_number || content.size() > 1))
    return letters(content);
  if (const auto meaning = names ? command_meaning(content) : std::nullopt;
      meaning && meaning->kind == TokenKind::Function && !word_meaning(content))
    return push(TokenKind::Function, meaning->text);
  if (factor && (after_operand() || content == "infinity")) return letters(content);
  if (const auto units = units_with_powers(content)) return push(TokenKind::Text, *units);
  if (all_letters && names_function(content)) return letters(content);
  const auto first = content.find_first_not_of(", ");
  const auto last = content.find_last_not_of(", ");
  const auto inner =
      first == std::string_view::npos ? content : content.substr(first, last - first + 1);
  if (inner == "and" || inner == "or" || inner == "," || inner == ";" || inner == "And" ||
      inner == "Or")
    return push(TokenKind::Separator, inner);
  // "cm and" before another answer
  for (const std::string_view connective : {" and", " or"}) {
    if (!inner.ends_with(connective)) continue;
    push(TokenKind::Text, trimmed(inner.substr(0, inner.size() - connective.size())));
    return push(TokenKind::Separator, connective.substr(1));
  }
  if (inner == "to" && after_number) return push(TokenKind::Relation, ":");
  if (inner == "mod") return push(TokenKind::Operator, "m");
  if (inner == "percent" || inner == "%" || inner == "\\%") return push(TokenKind::Percent, "%");
  if (inner == "degrees" || inner == "degree") return push(TokenKind::Degree, "");
  // \text{1A}_{16}: the digits of a base
  const bool based = peek() == '_' && std::all_of(content.begin(), content.end(), [](char c) {
                       return is_digit(c) || (c >= 'A' && c <= 'Z');
                     });
  const bool formula = content.size() > 2 && content.starts_with('$') && content.ends_with('$');
  if (based || !(formula || holds_number(content))) {
    if (counts_micro() && all_letters && glued) tokens_.pop_back();
    return push(TokenKind::Text, content);
  }
  if (const auto base = stated_base(content); base && after_number) {
    push(TokenKind::Operator, "_");
    return push(TokenKind::Number, *base);
  }
  const bool modulo = content.starts_with("(mod ") && content.ends_with(')');
  if (modulo) {  // \pmod, written out
    push(TokenKind::Command, "pmod");
    push(TokenKind::Open, "{");
    content = trimmed(content.substr(5, content.size() - 6));
  }
  // "42\text{ or 43}": mathematics that was put into a text, and no unit
  if (!formula && content.find('\\') != std::string_view::npos)
    throw Refusal{"a number among words"};
  auto inside = Lexer(content).tokens();
  inside.pop_back();  // its end
  if (!inside.empty()) inside[0].space_before = true;
  tokens_.insert(tokens_.end(), inside.begin(), inside.end());
  if (modulo) push(TokenKind::Close, "}");
}

}  // namespace aha::math
