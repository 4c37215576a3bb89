#include <algorithm>

#include "rewards/math/lexer_state.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {

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
  if (name == "mathbb" || name == "Bbb" || (name == "mathbf" && names_reals()))
    return set_of_numbers();
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
    case '&':
      return push(TokenKind::Separator, "and");
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

/// \mathbf{R} as all of an answer, or what x is in.
bool Lexer::names_reals() const {
  const auto after = trimmed(text_.substr(at_));
  if (after != "R" && after != "{R}") return false;
  return tokens_.empty() || tokens_.back().text == std::string(1, sign::kIn);
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
