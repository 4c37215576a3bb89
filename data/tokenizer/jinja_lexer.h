#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aha::jinja {

enum class TokenKind {
  Data,           ///< text outside of braces
  VariableBegin,  ///< {{
  VariableEnd,
  BlockBegin,  ///< {%
  BlockEnd,
  Name,
  Text,  ///< a string literal, its escapes resolved
  Integer,
  Float,
  Sign,  ///< an operator or a bracket
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string text;  ///< numbers without '_'
  int line = 1;

  bool is_sign(std::string_view sign) const { return kind == TokenKind::Sign && text == sign; }
  bool is_name(std::string_view name) const { return kind == TokenKind::Name && text == name; }
};

/// The tokens of a template as Jinja's lexer makes them with trim_blocks and lstrip_blocks: the
/// newline after a block tag is dropped, as is white space from the start of a line to a block tag;
/// `-` strips, `+` keeps; comments and raw blocks are resolved. One newline at the very end is
/// dropped. The last token is End. UserError "WHERE: line N: ..." otherwise.
std::vector<Token> tokens_of(std::string_view source, const std::string& where);

}  // namespace aha::jinja
