#include "data/tokenizer/jinja_lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "data/tokenizer/jinja_literal.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

constexpr std::array<std::string_view, 25> kSigns = {
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[",
    "]",  "(",  ")",  "{",  "}",  "=",  ">", "<", ".", ":", "|", ","};

/// \r\n and \r become \n; one newline at the end goes.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

std::size_t after_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const auto c = character_at(text, at);
    if (!is_python_space(c.code_point)) break;
    at += c.size;
  }
  return at;
}

class Lexer {
 public:
  Lexer(std::string source, const std::string& where) : text_(std::move(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < text_.size())
      outside();
    add(TokenKind::End, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail_here(const std::string& message) const {
    fail("{}: line {}: {}", where_, line_, message);
  }
  void add(TokenKind kind, std::string text) {
    if (kind == TokenKind::Data && text.empty()) return;
    tokens_.push_back({kind, std::move(text), line_});
  }
  void move_to(std::size_t at) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    if (at > at_) line_starting_ = text_[at - 1] == '\n';
    at_ = at;
  }
  std::string_view rest(std::size_t at) const { return std::string_view(text_).substr(at); }

  /// Text up to the next opening brace, stripped as its sign and kind say.
  void data(std::size_t end, bool block) {
    const char sign = end + 2 < text_.size() ? text_[end + 2] : ' ';
    std::string_view part = rest(at_).substr(0, end - at_);
    if (sign == '-') {
      part = stripped(part, Side::Right);
    } else if (sign != '+' && block) {
      const auto newline = part.rfind('\n');
      const auto begin = newline == std::string_view::npos ? 0 : newline + 1;
      if ((begin > 0 || line_starting_) && after_space(part, begin) == part.size())
        part = part.substr(0, begin);
    }
    add(TokenKind::Data, std::string(part));
    move_to(end);
  }

  std::size_t next_brace() const {
    for (auto at = text_.find('{', at_); at != std::string::npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() &&
          std::string_view("{%#").find(text_[at + 1]) != std::string_view::npos)
        return at;
    return text_.size();
  }

  void outside() {
    const auto brace = next_brace();
    const bool found = brace < text_.size();
    const char kind = found ? text_[brace + 1] : ' ';
    data(brace, found && kind != '{');
    if (!found) return;
    if (kind == '#') return comment();
    if (kind == '%' && raw()) return;
    const bool signed_tag =
        at_ + 2 < text_.size() && (text_[at_ + 2] == '-' || text_[at_ + 2] == '+');
    add(kind == '{' ? TokenKind::VariableBegin : TokenKind::BlockBegin, "");
    move_to(at_ + (signed_tag ? 3 : 2));
    inside(kind == '{');
  }

  /// Where a tag that closes with `mark` ("%}", "#}", "}}") at `at` ends: its sign and what it trims.
  std::optional<std::size_t> closing(std::size_t at, std::string_view mark, bool trims) const {
    const char sign = at < text_.size() ? text_[at] : ' ';
    if (sign == '-' && rest(at + 1).starts_with(mark)) return after_space(text_, at + 3);
    if (sign == '+' && trims && rest(at + 1).starts_with(mark)) return at + 3;
    if (!rest(at).starts_with(mark)) return std::nullopt;
    const auto end = at + 2;
    return trims && end < text_.size() && text_[end] == '\n' ? end + 1 : end;
  }

  void comment() {
    auto begin = at_ + 2;
    if (begin < text_.size() && (text_[begin] == '-' || text_[begin] == '+')) ++begin;
    const auto mark = text_.find("#}", begin);
    if (mark == std::string::npos) fail_here("a comment '{#' without its '#}'");
    const bool has_sign = mark > begin && (text_[mark - 1] == '-' || text_[mark - 1] == '+');
    move_to(*closing(has_sign ? mark - 1 : mark, "#}", true));
  }

  /// {% raw %} ... {% endraw %}: true when there was one.
  bool raw() {
    auto at = at_ + 2;
    if (at < text_.size() && (text_[at] == '-' || text_[at] == '+')) ++at;
    at = after_space(text_, at);
    if (!rest(at).starts_with("raw")) return false;
    at = after_space(text_, at + 3);
    const bool strips = rest(at).starts_with("-%}");
    if (!strips && !rest(at).starts_with("%}")) return false;
    move_to(strips ? after_space(text_, at + 3) : at + 2);
    for (auto open = text_.find("{%", at_); open != std::string::npos;
         open = text_.find("{%", open + 1)) {
      auto inner = open + 2;
      if (inner < text_.size() && (text_[inner] == '-' || text_[inner] == '+')) ++inner;
      inner = after_space(text_, inner);
      if (!rest(inner).starts_with("endraw")) continue;
      if (const auto end = closing(after_space(text_, inner + 6), "%}", true)) {
        data(open, true);
        move_to(*end);
        return true;
      }
    }
    fail_here("'raw' without its 'endraw'");
  }

  void inside(bool variable) {
    std::string open;  // brackets that wait for their partner
    const auto mark = variable ? "}}" : "%}";
    while (true) {
      move_to(after_space(text_, at_));
      if (at_ >= text_.size()) fail_here(fmt::format("the template ends before '{}'", mark));
      if (open.empty()) {
        if (const auto end = closing(at_, mark, !variable)) {
          add(variable ? TokenKind::VariableEnd : TokenKind::BlockEnd, "");
          return move_to(*end);
        }
      }
      if (number() || name() || literal()) continue;
      sign(open);
    }
  }

  bool number() {
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    const auto found = number_at(text_, at_, !after_dot);
    if (found.size == 0) return false;
    add(found.is_float ? TokenKind::Float : TokenKind::Integer, found.digits);
    move_to(at_ + found.size);
    return true;
  }

  bool name() {
    auto end = at_;
    while (end < text_.size()) {
      const auto c = character_at(text_, end);
      if (!is_word(c.code_point)) break;
      end += c.size;
    }
    if (end == at_) return false;
    if (text_[at_] >= '0' && text_[at_] <= '9') fail_here("a name begins with a digit");
    add(TokenKind::Name, text_.substr(at_, end - at_));
    move_to(end);
    return true;
  }

  bool literal() {
    const char quote = text_[at_];
    if (quote != '\'' && quote != '"') return false;
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote)
      end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail_here("a text literal without its closing quote");
    std::string value;
    const auto problem = unescaped(rest(at_ + 1).substr(0, end - at_ - 1), value);
    if (!problem.empty()) fail_here(problem);
    add(TokenKind::Text, std::move(value));
    move_to(end + 1);
    return true;
  }

  void sign(std::string& open) {
    const auto found = std::find_if(kSigns.begin(), kSigns.end(),
                                    [&](auto s) { return rest(at_).starts_with(s); });
    if (found == kSigns.end())
      fail_here(fmt::format("unexpected character '{}'",
                            rest(at_).substr(0, character_at(text_, at_).size)));
    const char c = found->front();
    if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) fail_here(fmt::format("unexpected '{}'", c));
      if (open.back() != c)
        fail_here(fmt::format("unexpected '{}', expected '{}'", c, open.back()));
      open.pop_back();
    }
    add(TokenKind::Sign, std::string(*found));
    move_to(at_ + found->size());
  }

  std::string text_;
  const std::string& where_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source, const std::string& where) {
  if (const auto bad = first_invalid_utf8(source))
    fail("{}: the template is not UTF-8 at byte {}", where, *bad);
  return Lexer(normalized(source), where).run();
}

}  // namespace aha::jinja
