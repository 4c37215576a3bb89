#include <algorithm>

#include "rewards/math/lexer_state.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// II, IV: a numeral, whose letters are no factors.
bool is_roman(std::string_view run) {
  return run.find('I') != std::string_view::npos &&
         run.find_first_not_of("IVX") == std::string_view::npos;
}

}  // namespace

/// 7:45 p.m., 8 AM: behind a number these are no letters.
bool Lexer::half_of_day() {
  if (tokens_.empty() || tokens_.back().kind != TokenKind::Number) return false;
  const auto half = lower(text_.substr(at_, 1));
  if (half != "a" && half != "p") return false;
  std::size_t size = 1;
  if (peek(size) == '.') size += peek(size + 1) == ' ' ? 2 : 1;
  if (peek(size) != 'm' && peek(size) != 'M') return false;
  if (is_letter(peek(++size))) return false;
  if (peek(size) == '.' && peek(1) == '.') ++size;
  at_ += size;
  push(TokenKind::Text, half + "m");
  return true;
}

void Lexer::word() {
  if (half_of_day()) return;
  auto end = at_;
  while (end < text_.size() && is_letter(text_[end]))
    ++end;
  const auto run = text_.substr(at_, end - at_);
  at_ = end;
  letters(run);
}

/// 3.5 x 10^4, and (1, 2) U (3, 4): letters that stand for a sign.
std::optional<Meaning> Lexer::sign_of_letter(char letter) const {
  if (tokens_.empty()) return std::nullopt;
  const auto before = tokens_.back().kind;
  const auto after = trimmed(text_.substr(at_));
  if ((letter == 'x' || letter == 'X') && before == TokenKind::Number && after.starts_with("10^"))
    return Meaning{TokenKind::Operator, "*"};
  const bool opens = after.starts_with('(') || after.starts_with('[') || after.starts_with("\\{");
  if (letter == 'U' && before == TokenKind::Close && opens && tokens_.back().text != "}")
    return Meaning{TokenKind::SetSign, "union"};
  return std::nullopt;
}

/// I is the imaginary unit of 3 + 4*I, and a letter where it stands first.
bool Lexer::counts_imaginary() const {
  if (tokens_.empty()) return false;
  const auto kind = tokens_.back().kind;
  return kind == TokenKind::Number || kind == TokenKind::Close || kind == TokenKind::Constant ||
         (kind == TokenKind::Operator && tokens_.back().text != "_");
}

/// 12th and 12^{th}, 98.6°F and 98.6^{\circ}F: letters that end what stands before them, a superscript's braces aside.
bool Lexer::ends_number(std::string_view run) const {
  const auto token = std::find_if(tokens_.rbegin(), tokens_.rend(), [](const Token& of) {
    return of.text != "^" && of.text != "{" && of.text != "}";
  });
  if (token == tokens_.rend()) return false;
  if (run == "C" || run == "F") return token->kind == TokenKind::Degree;
  if (token->kind != TokenKind::Number || space_ || !is_ordinal_ending(run)) return false;
  const auto& digits = token->text;
  const bool teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  const char last = teen ? '0' : digits.back();
  return run == (last == '1' ? "st" : last == '2' ? "nd" : last == '3' ? "rd" : "th");
}

/// USD 12, Rs. 12: where nothing else stands before.
bool Lexer::names_currency(std::string_view run) const {
  constexpr std::string_view kCurrencies[] = {"USD", "EUR", "GBP", "INR", "JPY", "CNY", "Rs"};
  auto after = text_.substr(at_);
  if (after.starts_with('.')) after.remove_prefix(1);
  after = trimmed(after);
  return tokens_.empty() && holds(kCurrencies, run) && !after.empty() && is_digit(after[0]);
}

void Lexer::letters(std::string_view run) {
  if (names_currency(run)) {
    if (peek() == '.') ++at_;
    return push(TokenKind::Skip, "");
  }
  if (ends_number(run)) return push(TokenKind::Text, run);
  if (run.size() == 1) {
    if (const auto meaning = sign_of_letter(run[0])) return push(meaning->kind, meaning->text);
    const bool constant = run == "e" || run == "i" || (run == "I" && counts_imaginary());
    return push(constant ? TokenKind::Constant : TokenKind::Symbol,
                constant && run == "I" ? "i" : run);
  }
  const auto before = tokens_.empty() ? TokenKind::End : tokens_.back().kind;
  const bool after_operand =
      before == TokenKind::Number || before == TokenKind::Close ||
      (space_ && (before == TokenKind::Symbol || before == TokenKind::Constant));
  if (run == "to" && before == TokenKind::Number && peek() == ' ' && is_digit(peek(1)))
    return push(TokenKind::Relation, ":");  // 12 to 5
  if (run == "in" && !tokens_.empty() && tokens_.back().kind != TokenKind::Number)
    return push(TokenKind::Relation, "e");
  if (after_operand && is_short_unit(run) && run != "deg" && peek() != '(')
    return push(TokenKind::Word, run);
  auto meaning = word_meaning(run);
  if (!meaning) {
    const auto small = lower(run);
    // "OR" and "Pi", but not "IN" or "AND" for points A, N, D.
    meaning = run != "AND" && run != "OR" && small != run ? word_meaning(small) : std::nullopt;
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
  // After a number a long run is a unit or a word; a short one is a product of letters. Of three capitals and more
  // the order counts: they are a name, of an angle or of who came in first.
  const bool capitals = std::all_of(run.begin(), run.end(), is_upper);
  if (run.size() >= 4 && !capitals) return push(TokenKind::Word, run);
  if (is_short_word(run)) return push(TokenKind::Word, run);
  if (space_ && tokens_.size() == after_run_ && !capitals) throw Refusal{"words beside words"};
  if (capitals && (run.size() >= 3 || is_roman(run))) {
    push(TokenKind::Symbol, run);
    after_run_ = tokens_.size();
    return;
  }
  for (const char& c : run)
    letters(std::string_view(&c, 1));
  after_run_ = tokens_.size();
}

}  // namespace aha::math
