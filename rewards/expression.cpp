#include "rewards/expression.h"

#include <fmt/format.h>

#include "rewards/text_scan.h"

namespace aha {
namespace {

constexpr std::size_t kMostBytes = 4096;
constexpr int kMostOpen = 64;
constexpr std::size_t kMostDigits = 18;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Evaluated result() && {
    auto value = sum();
    if (value && next() != '\0') value = problem("cannot read {}", here());
    out_.value = value;
    return std::move(out_);
  }

 private:
  using Value = std::optional<Rational>;

  template <class... Args>
  std::nullopt_t problem(fmt::format_string<Args...> message, Args&&... args) {
    if (out_.problem.empty()) out_.problem = fmt::format(message, std::forward<Args>(args)...);
    return std::nullopt;
  }

  /// The next character that is no white space; NUL at the end. A NUL byte of the text is mapped to
  /// another character that no rule accepts.
  char next() {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
    if (at_ == text_.size()) return '\0';
    return text_[at_] == '\0' ? '?' : text_[at_];
  }

  std::string here() const {
    if (at_ == text_.size()) return "the end";
    auto end = at_ + 1;
    // bytes 10xxxxxx continue a character, which has at most three of them
    while (end < text_.size() && end < at_ + 4 &&
           (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U)
      ++end;
    return fmt::format("'{}'", text_.substr(at_, end - at_));
  }

  Value sum() {
    auto left = term();
    for (char op = next(); left && (op == '+' || op == '-'); op = next()) {
      ++at_;
      const auto right = term();
      if (!right) return std::nullopt;
      left = done(op == '+' ? left->plus(*right) : left->minus(*right));
    }
    return left;
  }

  Value term() {
    auto left = factor();
    for (char op = next(); left && (op == '*' || op == '/'); op = next()) {
      ++at_;
      const auto right = factor();
      if (!right) return std::nullopt;
      if (op == '/' && right->is_zero()) return problem("division by zero");
      left = done(op == '*' ? left->times(*right) : left->over(*right));
    }
    return left;
  }

  Value factor() {
    bool negative = false;
    for (char sign = next(); sign == '+' || sign == '-'; sign = next()) {
      negative ^= sign == '-';
      ++at_;
    }
    const auto value = next() == '(' ? parenthesis() : number();
    return value && negative ? value->negated() : value;
  }

  Value parenthesis() {
    if (open_ == kMostOpen) return problem("more than {} open parentheses", kMostOpen);
    ++open_;
    ++at_;
    auto value = sum();
    if (!value) return value;
    if (next() != ')') return problem("expected ')', found {}", here());
    ++at_;
    --open_;
    return value;
  }

  Value number() {
    if (!is_digit(next())) return problem("expected a number, found {}", here());
    const auto begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_]))
      ++at_;
    const auto digits = text_.substr(begin, at_ - begin);
    if (digits.size() > kMostDigits) return problem("a number of {} digits", digits.size());
    if (digits.size() > 1 && digits.front() == '0')
      return problem("'{}' has a leading zero", digits);
    std::int64_t value = 0;
    for (const char digit : digits)
      value = value * 10 + (digit - '0');
    out_.numbers.push_back(value);
    ++out_.steps;
    return Rational(value);
  }

  Value done(const Value& value) {
    ++out_.steps;
    if (!value) return problem("a value beyond 126 bits");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int open_ = 0;
  Evaluated out_;
};

}  // namespace

Evaluated evaluate_expression(std::string_view text) {
  if (text.size() > kMostBytes) {
    Evaluated out;
    out.problem = fmt::format("longer than {} bytes", kMostBytes);
    return out;
  }
  return Parser(text).result();
}

}  // namespace aha
