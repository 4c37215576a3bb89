#pragma once
#include <string_view>
#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/lexer.h"
#include "rewards/math/vocabulary.h"

namespace aha::math {

/// The scanner behind tokens_of: characters in lexer.cpp, letters in lexer_word.cpp, commands in
/// lexer_command.cpp, \text in lexer_text.cpp.
class Lexer {
 public:
  explicit Lexer(std::string_view text);
  std::vector<Token> tokens();

 private:
  char peek(std::size_t ahead = 0) const;
  void push(TokenKind kind, std::string_view text);
  void next();
  bool raised();
  void sign(char c);
  void full_stop();
  bool relation(char c);
  void number();
  void word();
  void letters(std::string_view run);
  std::optional<Meaning> sign_of_letter(char letter) const;
  bool counts_imaginary() const;
  bool half_of_day();
  bool counts_micro() const;
  bool names_reals() const;
  bool names_currency(std::string_view run) const;
  bool ends_number(std::string_view run) const;
  bool after_operand() const;
  bool names_function(std::string_view word) const;
  void command();
  static bool known(std::string_view name);
  bool doubled() const;
  void short_command();
  std::string_view argument();
  void text_argument(bool names);
  void set_of_numbers();
  void negated();

  std::string_view text_;
  std::size_t at_ = 0;
  bool space_ = false;
  int brackets_ = 0;
  int matrices_ = 0;
  std::size_t after_run_ = 0;  ///< tokens when the last product of letters ended
  std::vector<Token> tokens_;
};

}  // namespace aha::math
