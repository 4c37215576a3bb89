#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aha::math {

enum class TokenKind {
  Number,    ///< `text` is a numeral without separators: "1000.5", "2e-3", "0.1(6)", "5 1/2"
  Symbol,    ///< one letter or a command such as alpha
  Constant,  ///< pi, e, i, infinity, reals, ...
  Function,  ///< sin, log, ...: what it is applied to follows
  Command,   ///< frac, sqrt, binom, begin, end, sum, ...: the parser knows each
  Wrapper,   ///< mathbf, vec, ...: its argument stands for the whole
  Word,      ///< letters in a row that are a unit or a word; those of a product are symbols
  Text,      ///< the argument of \text and its like
  Operator,  ///< + - * / ^ _ ! & and x (\times), m (modulo), p (plus-minus), q (minus-plus), # (new row)
  Relation,   ///< see sign in expression.h
  SetSign,    ///< union, intersection, minus
  Open,       ///< ( [ { and S for \{, a for \langle, f for floor, c for ceiling
  Close,      ///< the same with ) ] }
  Bar,        ///< | or ||
  Separator,  ///< , ; and "and"/"or"
  Percent,
  Degree,
  Prime,
  Ellipsis,
  Skip,  ///< spacing and sizes; never in the result
  End
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string text{};
  bool space_before = false;
};

/// LaTeX or plain mathematics as tokens, ending with End. Spacing, dollar signs, \left and their
/// like are dropped; "1,000", "1{,}000", "1 000" and "1\,000" are one number; \text{and} is a
/// separator. Inside brackets "(100,200)" stays two numbers, unless a group begins with 0.
///
/// Linear in the text. Refusal: longer than 10,000 bytes, or bytes that are no mathematics.
std::vector<Token> tokens_of(std::string_view text);

}  // namespace aha::math
