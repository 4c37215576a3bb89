#include "rewards/math/lexer.h"

#include <algorithm>

#include "rewards/math/expression.h"
#include "rewards/math/numeral.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr std::size_t kMostBytes = 10000;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {
    if (text.size() > kMostBytes) throw Refusal{"longer than 10,000 bytes"};
  }

  std::vector<Token> tokens() {
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

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void push(TokenKind kind, std::string_view text) {
    if (kind == TokenKind::Skip) {
      space_ = true;
      return;
    }
    if (kind == TokenKind::Open && text != "{") ++brackets_;
    if (kind == TokenKind::Close && text != "}" && brackets_ > 0) --brackets_;
    tokens_.push_back({kind, std::string(text), space_});
    space_ = false;
  }

  void next() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (is_letter(c)) return word();
    if (c == '\\') return command();
    std::size_t size = 0;
    if (const auto meaning = character_meaning(text_.substr(at_), size)) {
      at_ += size;
      return push(meaning->kind, meaning->text);
    }
    for (const auto& [mark, power] : {std::pair{"\xC2\xB2", "2"}, {"\xC2\xB3", "3"}}) {
      if (!text_.substr(at_).starts_with(mark)) continue;
      at_ += 2;
      push(TokenKind::Operator, "^");
      return push(TokenKind::Number, power);
    }
    sign(c);
  }

  void sign(char c) {
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
        if (peek() == '|') {
          ++at_;
          return push(TokenKind::Bar, "||");
        }
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
  void full_stop() {
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

  bool relation(char c) {
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
      meaning = sign::kOther;
      if (after == '=') meaning = sign::kEqual, size = 2;
    }
    if (meaning == 0) return false;
    at_ += size;
    push(TokenKind::Relation, std::string_view(&meaning, 1));
    return true;
  }

  void number() {
    const auto numeral = read_numeral(text_.substr(at_), brackets_ > 0);
    at_ += numeral.size;
    push(TokenKind::Number, numeral.text);
  }

  void word() {
    auto end = at_;
    while (end < text_.size() && is_letter(text_[end]))
      ++end;
    const auto run = text_.substr(at_, end - at_);
    at_ = end;
    letters(run);
  }

  void letters(std::string_view run) {
    if (run.size() == 1) {
      const bool constant = run == "e" || run == "i" || run == "I";
      return push(constant ? TokenKind::Constant : TokenKind::Symbol, run == "I" ? "i" : run);
    }
    const bool after_operand = !tokens_.empty() && (tokens_.back().kind == TokenKind::Number ||
                                                    tokens_.back().kind == TokenKind::Close);
    if (run == "in" && !tokens_.empty() && tokens_.back().kind != TokenKind::Number)
      return push(TokenKind::Relation, "e");
    if (after_operand && is_short_unit(run) && run != "deg" && peek() != '(')
      return push(TokenKind::Word, run);
    auto meaning = word_meaning(run);
    if (!meaning) {
      std::string lower(run);
      std::transform(lower.begin(), lower.end(), lower.begin(),
                     [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
      // "OR" and "Pi", but not "IN" or "AND" for points A, N, D.
      meaning = run != "AND" && run != "OR" && lower != run ? word_meaning(lower) : std::nullopt;
    }
    if (meaning) return push(meaning->kind, meaning->text);
    // "1orW": a connective glued to what follows.
    for (const std::string_view joined : {"or", "and"}) {
      if (!after_operand || !run.starts_with(joined)) continue;
      const auto rest = run.substr(joined.size());
      if (rest.size() != 1 && !(rest.size() > 1 && is_upper(rest[0]))) continue;
      push(TokenKind::Separator, joined);
      return letters(rest);
    }
    push(TokenKind::Word, run);
  }

  void command() {
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
        name == "label" || name == "tag")
      return void(argument());
    if (name == "not") return negated();
    const auto meaning = command_meaning(name);
    if (!meaning) return push(TokenKind::Symbol, name);
    push(meaning->kind, meaning->text);
    if (name == "begin") ++matrices_;
    if (name == "end") --matrices_;
    if ((name == "left" || name == "right") && peek() == '.') ++at_;
  }

  static bool known(std::string_view name) {
    return command_meaning(name) || is_text_command(name) || name == "mathbb" || name == "Bbb";
  }

  /// At the second of two backslashes: does a known command follow, and not a third backslash?
  bool doubled() const {
    auto end = at_ + 1;
    while (end < text_.size() && is_letter(text_[end]))
      ++end;
    const auto name = text_.substr(at_ + 1, end - at_ - 1);
    if (name.empty())
      return std::string_view("[](){}!,;%$").find(peek(1)) != std::string_view::npos &&
             matrices_ == 0;
    return name.size() > 1 && known(name);
  }

  void short_command() {
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
  std::string_view argument() {
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

  void text_argument(bool names) {
    auto content = trimmed(argument());
    while (content.starts_with("\\ ") || content.starts_with('~'))
      content = trimmed(content.substr(content[0] == '~' ? 1 : 2));
    if (content.empty()) return push(TokenKind::Skip, "");
    const bool all_letters = std::all_of(content.begin(), content.end(), is_letter);
    if (names && all_letters && (content.size() == 1 || word_meaning(content)))
      return letters(content);
    const auto first = content.find_first_not_of(", ");
    const auto last = content.find_last_not_of(", ");
    const auto inner =
        first == std::string_view::npos ? content : content.substr(first, last - first + 1);
    if (inner == "and" || inner == "or" || inner == "," || inner == ";" || inner == "And" ||
        inner == "Or")
      return push(TokenKind::Separator, inner);
    if (inner == "percent" || inner == "%" || inner == "\\%") return push(TokenKind::Percent, "%");
    if (inner == "degrees" || inner == "degree") return push(TokenKind::Degree, "");
    push(TokenKind::Text, content);
  }

  void set_of_numbers() {
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

  void negated() {
    const auto before = tokens_.size();
    while (is_space(peek()))
      ++at_;
    if (at_ < text_.size()) next();
    if (tokens_.size() != before + 1 || tokens_.back().kind != TokenKind::Relation)
      throw Refusal{"\\not before no relation"};
    tokens_.back().text = tokens_.back().text == "=" ? sign::kNotEqual : sign::kOther;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool space_ = false;
  int brackets_ = 0;
  int matrices_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  return Lexer(text).tokens();
}

}  // namespace aha::math
