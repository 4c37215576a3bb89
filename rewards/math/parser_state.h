#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rewards/math/expression.h"
#include "rewards/math/lexer.h"

namespace aha::math {

/// The recursive descent of parser.h: lists and relations in parser_relation.cpp, sums and powers in parser.cpp,
/// products in parser_product.cpp, letters in parser_atom.cpp, brackets in parser_bracket.cpp, commands and functions in parser_command.cpp, words beside a
/// formula in parser_unit.cpp.
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

  Ref stacked();
  Ref list();
  Ref relation();
  Ref modular();
  bool opens_modulus() const;
  bool opens_domain() const;
  bool opens_aside() const;
  bool goes_on_in_row() const;
  Ref set_operation();
  Ref sum();
  Ref product();
  Ref signed_factor();
  void times(std::vector<Ref>& factors, std::size_t begin);
  void divide(std::vector<Ref>& factors, Ref by);
  bool is_vector(std::size_t begin) const;
  Ref cross_product(Ref a, Ref b);
  Ref power();
  Ref postfix();
  Ref exponent();
  std::string subscript();
  std::optional<Ref> mark(Ref base);
  Ref degrees(Ref angle);
  bool starts_operand() const;
  bool parts_condition() const;
  bool take_unit(std::vector<Ref>& factors);
  void say_after(std::vector<Ref>& factors, std::string words);
  bool opens_labelled(const std::vector<Ref>& factors) const;
  bool opens_remainder(const std::vector<Ref>& factors) const;
  std::size_t parts_of(std::string_view words) const;
  Ref nested_quantity(Ref value, std::string_view unit);
  bool stands_for_number(const std::vector<Ref>& factors) const;
  Ref with_words_after(Ref value, const std::string& words, bool number);
  Ref with_words_before(std::string words, Ref value);
  Ref remarked(Ref value, const std::string& words);

  Ref atom();
  Ref numeral();
  Ref based(std::string_view digits);
  Ref letter();
  bool opens_arguments() const;
  bool closes_open_interval() const;
  Ref words();
  std::optional<Ref> chosen();
  Ref bracketed();
  bool opens_norm() const;
  bool opens_in_bars() const;
  Ref absolute();
  Ref command();
  Ref fraction();
  Ref over(Ref top, Ref bottom);
  std::optional<Ref> derivative(const std::vector<Ref>& top);
  Ref accented(const std::string& accent);
  Ref figure(const std::string& kind);
  Ref root();
  Ref binomial();
  Ref function();
  Ref function_argument();
  Ref series(const std::string& name);
  Ref upper_bound();
  Ref integral(const std::string& name);
  Ref matrix();
  void drop_alignment(bool before_relations);
  Ref applied(Ref function_name);
  Ref combination(Ref applied);
  Ref group_or_atom();
  Ref group();

  Tree& tree_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;              ///< open |
  bool such_that_ = false;    ///< a | to come is no bracket
  bool colon_parts_ = false;  ///< a : to come parts a set's elements from their condition
  bool in_angle_ = false;     ///< in what sin and its like are applied to
  bool counts_by_i_ = false;  ///< in a sum over i, which is a letter there
};

}  // namespace aha::math
