#include <algorithm>
#include <string>

#include "rewards/math/prose_scanner.h"
#include "rewards/math/vocabulary.h"
#include "rewards/text_scan.h"

namespace aha::math {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongestArgument = 400;

}  // namespace

/// A command with its braces.
Item Scanner::command() const {
  auto end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end]))
    ++end;
  if (end == at_ + 1) {
    const char c = peek(1);
    if (c == '%') return item(Part::Postfix, 2);
    if (c == '{' || c == '}') return item(c == '{' ? Part::Open : Part::Close, 2);
    return item(c == '$' || c == ',' || c == ' ' ? Part::Prefix : Part::Break, 2);
  }
  const auto name = text_.substr(at_ + 1, end - at_ - 1);
  if (name == "begin") return environment(end);
  if (name == "end" || name.ends_with("arrow")) return item(Part::Break, end - at_);
  const auto meaning = command_meaning(name);
  const auto kind = meaning ? meaning->kind : TokenKind::Symbol;
  switch (kind) {
    case TokenKind::Operator:
    case TokenKind::SetSign:
      return item(Part::Binary, end - at_);
    case TokenKind::Relation:
      if (meaning->text == "?") return item(Part::Break, end - at_);
      return item(meaning->text == "=" ? Part::Equals : Part::Relation, end - at_);
    case TokenKind::Degree:
    case TokenKind::Prime:
      return item(Part::Postfix, end - at_);
    case TokenKind::Function:
    case TokenKind::Skip:
      return item(Part::Prefix, end - at_);
    default:
      return with_arguments(name, end);
  }
}

/// A command that ends at a place, with what stands in its braces.
Item Scanner::with_arguments(std::string_view name, std::size_t end) const {
  const auto begin = end;
  for (; end < text_.size(); ++end) {
    const auto rest = text_.substr(end, kLongestArgument);
    const bool option = rest[0] == '[' && name == "sqrt";
    if (rest[0] != '{' && !option) break;
    const auto close = option ? rest.find(']') : closing_brace(rest, 0);
    if (close == kNone) return item(Part::Break, end - at_);
    end += close;
  }
  const auto arguments = text_.substr(begin, end - begin);
  if (std::any_of(arguments.begin(), arguments.end(), is_digit))
    return item(Part::Number, end - at_);
  if (is_text_command(name)) return item(after_operand() ? Part::Postfix : Part::Break, end - at_);
  const bool open = arguments.empty() && (name == "sqrt" || name.ends_with("frac"));
  return item(open ? Part::Prefix : Part::Operand, end - at_);
}

/// A matrix; "\\begin" ends at the place given. Of other environments the lines are read.
Item Scanner::environment(std::size_t end) const {
  constexpr std::size_t kLongestName = 12;
  constexpr std::size_t kLongestMatrix = 1000;
  const auto close = text_.substr(end, kLongestName).find('}');
  const auto name = text_.substr(end, close == kNone ? 0 : close + 1);
  if (!name.ends_with("matrix}")) return item(Part::Break, end - at_);
  const auto mark = "\\end" + std::string(name);
  const auto last = text_.substr(end, kLongestMatrix).find(mark);
  return last == kNone ? item(Part::Break, end - at_)
                       : item(Part::Number, end + last + mark.size() - at_);
}

}  // namespace aha::math
