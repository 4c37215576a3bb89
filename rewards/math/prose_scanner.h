#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "rewards/math/prose.h"

namespace aha::math {

/// What an item of running text is to mathematics.
enum class Part {
  Number,
  Operand,  ///< a letter, pi, a bar
  Prefix,   ///< a root or function: what it is of follows
  Sign,     ///< + and -, before or between
  Binary,   ///< * / ^ _ and ratios
  Equals,
  Relation,
  Postfix,  ///< % ! ° and words of scale
  Open,
  Close,
  Separator,  ///< a comma inside brackets, or between digits
  Break       ///< words, ends of sentences: no mathematics
};

struct Item {
  Part part;
  std::size_t begin;
  std::size_t end;
};

bool ends_operand(Part part);

/// Reads a text item by item (prose_items.cpp, prose_characters.cpp, prose_commands.cpp) and puts those of mathematics in spans (prose_spans.cpp).
class Scanner {
 public:
  Scanner(std::string_view text, Keep keep) : text_(text), keep_(keep) {}

  std::vector<Piece> spans();

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Item item(Part part, std::size_t size) const {
    return {part, at_, at_ + size < text_.size() ? at_ + size : text_.size()};
  }
  bool after_operand() const { return !items_.empty() && ends_operand(items_.back().part); }
  bool after_number() const { return !items_.empty() && items_.back().part == Part::Number; }
  /// Directly behind a number, letter or bracket.
  bool glued() const { return !space_ && after_operand(); }
  bool is_variable(char letter) const;
  bool after_apostrophe() const;
  std::size_t name_rest(std::size_t from) const;
  bool begins_line() const;
  bool is_ratio() const;
  bool goes_on() const;
  bool goes_on_behind_comma() const;
  bool is_times() const;
  std::size_t half_of_day() const;
  bool is_minus(std::size_t size) const;

  Item next() const;
  Item word() const;
  Item command() const;
  Item with_arguments(std::string_view name, std::size_t end) const;
  Item environment(std::size_t end) const;
  Item character() const;
  Item unknown_sign(bool arrow, bool sign, std::size_t size) const;
  Item sign(char c) const;
  Item relation(char c) const;

  void take(const Item& item);
  void flush();
  void add(std::size_t from, std::size_t to);
  bool has_number(std::size_t from, std::size_t to) const;
  bool operates(const Item& item) const;
  void trim(std::size_t& from, std::size_t& to) const;
  void cut(std::size_t& from, std::size_t& to) const;

  std::string_view text_;
  Keep keep_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool space_ = false;
  bool aside_ = false;
  std::vector<Item> items_;
  std::vector<Piece> spans_;
};

}  // namespace aha::math
