#include <algorithm>

#include "rewards/math/lexer_state.h"
#include "rewards/math/remarks.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

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

/// A digit that is not the end of a word, as in H2.
bool holds_number(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_digit(text[at]) && (at == 0 || !(is_letter(text[at - 1]) || is_digit(text[at - 1]))))
      return true;
  }
  return false;
}

}  // namespace

void Lexer::command() {
  ++at_;
  const char c = peek();
  if (c == '\\' && doubled()) ++at_;  // a text whose backslashes were escaped twice
  if (!is_letter(peek())) return short_command();
  auto end = at_;
  while (end < text_.size() && is_letter(text_[end]))
    ++end;
  auto name = text_.substr(at_, end - at_);
  // "\quadx": the longest known beginning of a name that is unknown as a whole.
  if (!known(name)) {
    for (auto size = name.size() - 1; size >= 2; --size) {
      if (!known(name.substr(0, size))) continue;
      name = name.substr(0, size);
      break;
    }
  }
  at_ += name.size();
  if (is_text_command(name)) return text_argument(name == "mathrm" || name == "operatorname");
  if (name == "mathbb" || name == "Bbb") return set_of_numbers();
  if (name == "phantom" || name == "hspace" || name == "vspace" || name == "color" ||
      name == "textcolor" || name == "label" || name == "tag")
    return void(argument());
  if (name == "not") return negated();
  const auto meaning = command_meaning(name);
  if (!meaning) return push(TokenKind::Symbol, name);
  push(meaning->kind, meaning->text);
  if (name == "begin") ++matrices_;
  if (name == "end") --matrices_;
  if ((name == "left" || name == "right") && peek() == '.') ++at_;
}

bool Lexer::known(std::string_view name) {
  return command_meaning(name) || is_text_command(name) || name == "mathbb" || name == "Bbb" ||
         name == "textcolor";
}

/// At the second of two backslashes: does a known command follow, and not a third backslash?
bool Lexer::doubled() const {
  auto end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end]))
    ++end;
  const auto name = text_.substr(at_ + 1, end - at_ - 1);
  if (name.empty())
    return std::string_view("[](){}!,;%$").find(peek(1)) != std::string_view::npos &&
           matrices_ == 0;
  return name.size() > 1 && known(name);
}

void Lexer::short_command() {
  const char c = peek();
  ++at_;
  switch (c) {
    case '\\': {
      push(TokenKind::Operator, "#");
      // Spacing after a row: \\[2pt]
      const auto rest = text_.substr(at_);
      const auto close = rest.find(']');
      if (rest.starts_with('[') && close <= 8 && is_letter(rest[close - 1])) at_ += close + 1;
      return;
    }
    case '{':
      return push(TokenKind::Open, "S");
    case '}':
      return push(TokenKind::Close, "S");
    case '|':
      return push(TokenKind::Bar, "||");
    case '%':
      return push(TokenKind::Percent, "%");
    case '!':
    case ',':
    case ';':
    case ':':
    case ' ':
    case '\n':
    case '\t':
    case '$':
    case '(':
    case ')':
    case '[':
    case ']':
    case '#':
    case '&':
    case '_':
    case '>':
    case '<':
    case '/':
    case '"':
    case '\'':
      return push(TokenKind::Skip, "");
    case '\0':
      at_ = text_.size();
      return;
    default:
      throw Refusal{"a backslash before no command"};
  }
}

/// The text of {...} that follows, braces balanced; of one character without braces.
std::string_view Lexer::argument() {
  while (is_space(peek()))
    ++at_;
  if (peek() != '{') {
    const auto one = text_.substr(at_, 1);
    at_ += one.size();
    return one;
  }
  int depth = 0;
  const auto begin = at_ + 1;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '{') ++depth;
    if (text_[at_] == '}' && --depth == 0) break;
  }
  const auto content = text_.substr(begin, at_ - begin);
  at_ = std::min(at_ + 1, text_.size());
  return content;
}

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
  if (factor && after_operand()) return letters(content);
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

void Lexer::set_of_numbers() {
  const auto name = trimmed(argument());
  for (const auto& [letter, set] : {std::pair{"R", "reals"},
                                    {"Z", "integers"},
                                    {"N", "naturals"},
                                    {"Q", "rationals"},
                                    {"C", "complexes"}}) {
    if (name == letter) return push(TokenKind::Constant, set);
  }
  push(TokenKind::Symbol, name);
}

void Lexer::negated() {
  const auto before = tokens_.size();
  while (is_space(peek()))
    ++at_;
  if (at_ < text_.size()) next();
  if (tokens_.size() != before + 1 || tokens_.back().kind != TokenKind::Relation)
    throw Refusal{"\\not before no relation"};
  tokens_.back().text = negated_sign(tokens_.back().text[0]);
}

}  // namespace aha::math
