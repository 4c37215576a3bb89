#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/lexer.h"

namespace aha::math {

/// The recursive descent of parser.h: lists to powers in parser.cpp, letters and brackets in
/// parser_atom.cpp, commands and functions in parser_command.cpp.
class Parser {
 public:
  Parser(Tree& tree, std::vector<Token> tokens) : tree_(tree), tokens_(std::move(tokens)) {}

  Ref answer();

 private:
  /// Counts open brackets for as long as it lives.
  class Depth {
   public:
    explicit Depth(Parser& parser);
    ~Depth() { --parser_.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;

   private:
    Parser& parser_;
  };

  const Token& peek(std::size_t ahead = 0) const;
  bool at(TokenKind kind, std::string_view text = {}) const;
  bool take(TokenKind kind, std::string_view text = {});
  Token next();
  [[noreturn]] static void refuse(const std::string& reason);

  Ref list();
  Ref relation();
  Ref set_operation();
  Ref sum();
  Ref product();
  Ref signed_factor();
  Ref power();
  Ref postfix();
  Ref exponent();
  std::string subscript();
  std::optional<Ref> mark(Ref base);
  Ref degrees(Ref angle);
  bool starts_operand() const;
  bool parts_condition() const;
  bool skip_unit();

  Ref atom();
  Ref numeral();
  Ref based(std::string_view digits);
  Ref letter();
  Ref words();
  Ref bracketed();
  Ref absolute();
  Ref command();
  Ref fraction();
  std::optional<Ref> derivative(const std::vector<Ref>& top);
  Ref accented(const std::string& accent);
  Ref root();
  Ref binomial();
  Ref function();
  Ref function_argument();
  Ref series(const std::string& name);
  Ref integral(const std::string& name);
  Ref matrix();
  Ref applied(Ref function_name);
  Ref group_or_atom();
  Ref group();

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;            ///< open |
  bool such_that_ = false;  ///< a | to come is no bracket
  bool in_angle_ = false;   ///< in what sin and its like are applied to
};

}  // namespace aha::math
