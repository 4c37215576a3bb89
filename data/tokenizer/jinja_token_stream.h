#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "data/tokenizer/jinja_lexer.h"

namespace aha::jinja {

/// The tokens of a template, read one after another.
class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::string where)
      : tokens_(std::move(tokens)), where_(std::move(where)) {}

  const Token& now() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_]; }
  /// The present token; the one behind it is present then.
  const Token& take();
  bool skip_sign(std::string_view sign);
  bool skip_name(std::string_view name);
  void expect_sign(std::string_view sign);
  void expect_name(std::string_view name);
  const Token& expect(TokenKind kind, const char* what);

  int line() const { return now().line; }
  const std::string& where() const { return where_; }
  /// UserError "WHERE: line N: MESSAGE".
  [[noreturn]] void fail_here(const std::string& message) const;
  [[noreturn]] void fail_at(int line, const std::string& message) const;
  /// "'endif'", "the end of the template", ...
  std::string describe_now() const;

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::string where_;
};

}  // namespace aha::jinja
