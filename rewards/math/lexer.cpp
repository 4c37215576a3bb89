#include <algorithm>

#include "rewards/math/lexer_state.h"
#include "rewards/math/numeral.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::size_t kMostBytes = 10000;

}  // namespace

Lexer::Lexer(std::string_view text) : text_(text) {
  if (text.size() > kMostBytes) throw Refusal{"longer than 10,000 bytes"};
}

std::vector<Token> Lexer::tokens() {
  while (at_ < text_.size()) {
    if (is_space(text_[at_])) {
      space_ = true;
      ++at_;
    } else {
      next();
    }
  }
  push(TokenKind::End, "");
  return std::move(tokens_);
}

char Lexer::peek(std::size_t ahead) const {
  return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

void Lexer::push(TokenKind kind, std::string_view text) {
  if (kind == TokenKind::Skip) {
    // \left( is as close as ( to what stands before.
    space_ = space_ || !(text == "left" || text == "right" || text.starts_with("big"));
    return;
  }
  if (kind == TokenKind::Open && text != "{") ++brackets_;
  if (kind == TokenKind::Close && text != "}" && brackets_ > 0) --brackets_;
  tokens_.push_back({kind, std::string(text), space_});
  space_ = false;
}

void Lexer::next() {
  const char c = peek();
  if (starts_numeral(text_.substr(at_))) return number();
  if (is_letter(c)) return word();
  if (c == '\\') return command();
  if (text_.substr(at_).starts_with("{:}")) {
    at_ += 3;
    return push(TokenKind::Relation, std::string_view(&sign::kRatio, 1));
  }
  std::size_t size = 0;
  if (const auto meaning = character_meaning(text_.substr(at_), size)) {
    at_ += size;
    return push(meaning->kind, meaning->text);
  }
  if (raised()) return;
  sign(c);
}

/// Digits above the line, and a minus before them: an exponent. True if any were there.
bool Lexer::raised() {
  constexpr std::string_view kDigits[] = {"\u2070", "\u00B9", "\u00B2", "\u00B3", "\u2074",
                                          "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  constexpr std::string_view kMinus = "\u207B";
  const bool minus = text_.substr(at_).starts_with(kMinus);
  auto end = at_ + (minus ? kMinus.size() : 0);
  std::string digits;
  for (bool more = true; more;) {
    const auto rest = text_.substr(end);
    const auto* const digit = std::find_if(std::begin(kDigits), std::end(kDigits),
                                           [&](auto of) { return rest.starts_with(of); });
    more = digit != std::end(kDigits);
    if (!more) break;
    digits += static_cast<char>('0' + (digit - kDigits));
    end += digit->size();
  }
  if (digits.empty()) return false;
  at_ = end;
  push(TokenKind::Operator, "^");
  push(TokenKind::Open, "{");
  if (minus) push(TokenKind::Operator, "-");
  push(TokenKind::Number, digits);
  push(TokenKind::Close, "}");
  return true;
}

void Lexer::sign(char c) {
  if (relation(c)) return;
  ++at_;
  switch (c) {
    case '*':
      if (peek() == '*') {
        ++at_;
        return push(TokenKind::Operator, "^");
      }
      return push(TokenKind::Operator, "*");
    case '+':
      if (peek() == '/' && peek(1) == '-') {
        at_ += 2;
        return push(TokenKind::Operator, "p");
      }
      return push(TokenKind::Operator, "+");
    case '-':
    case '/':
    case '^':
    case '_':
    case '!':
    case '&':
      return push(TokenKind::Operator, std::string_view(&c, 1));
    case '(':
    case '[':
    case '{':
      return push(TokenKind::Open, std::string_view(&c, 1));
    case ')':
    case ']':
    case '}':
      return push(TokenKind::Close, std::string_view(&c, 1));
    case '|':
      return push(TokenKind::Bar, "|");
    case ',':
    case ';':
      return push(TokenKind::Separator, std::string_view(&c, 1));
    case '%':
      return push(TokenKind::Percent, "%");
    case '\'':
      return push(TokenKind::Prime, "'");
    case '$':
    case '~':
      return push(TokenKind::Skip, "");
    case '.':
      return full_stop();
    default:
      throw Refusal{"'" + std::string(1, c >= ' ' && c < 127 ? c : '?') + "' is no mathematics"};
  }
}

/// "..." or the end of a sentence.
void Lexer::full_stop() {
  if (peek() == '.') {
    while (peek() == '.')
      ++at_;
    return push(TokenKind::Ellipsis, "...");
  }
  // After a closing bracket, dollar sign or unit a full stop ends the sentence. It may have
  // spacing after it, and nothing else.
  if (text_.find_first_not_of(" \t\n$.", at_) != std::string_view::npos &&
      !trimmed(text_.substr(at_)).starts_with("\\end"))
    throw Refusal{"a full stop inside"};
}

bool Lexer::relation(char c) {
  const char after = peek(1);
  char meaning = 0;
  std::size_t size = 1;
  if (c == '<' || c == '>') {
    meaning = c;
    if (after == '=') meaning = c == '<' ? sign::kAtMost : sign::kAtLeast, size = 2;
  } else if (c == '!' && after == '=') {
    meaning = sign::kNotEqual, size = 2;
  } else if (c == '=') {
    meaning = sign::kEqual;
    if (after == '=') size = 2;
    if (after == '<') meaning = sign::kAtMost, size = 2;
    if (after == '>') meaning = sign::kOther, size = 2;
  } else if (c == ':') {
    meaning = sign::kRatio;
    if (after == '=') meaning = sign::kEqual, size = 2;
  }
  if (meaning == 0) return false;
  at_ += size;
  push(TokenKind::Relation, std::string_view(&meaning, 1));
  return true;
}

void Lexer::number() {
  const auto numeral = read_numeral(text_.substr(at_), brackets_ > 0);
  at_ += numeral.size;
  push(TokenKind::Number, numeral.text);
}

std::vector<Token> tokens_of(std::string_view text) {
  return Lexer(text).tokens();
}

}  // namespace aha::math
