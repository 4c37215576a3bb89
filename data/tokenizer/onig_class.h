#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace aha {

/// Walks a regular expression.
class PatternReader {
 public:
  /// `with_new`: properties are to have the characters that PCRE2 does not know yet.
  PatternReader(std::string_view pattern, const std::string& where, bool with_new)
      : pattern_(pattern), where_(where), with_new_(with_new) {}

  bool with_new() const { return with_new_; }

  bool done() const { return at_ >= pattern_.size(); }
  bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text);
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }
  /// One character, which may be of several bytes.
  std::string_view take_character();
  /// What stands before `end`, which is passed.
  std::string_view take_until(std::string_view end);
  std::size_t position() const { return at_; }
  void go_to(std::size_t position) { at_ = position; }
  std::string_view since(std::size_t position) const {
    return pattern_.substr(position, at_ - position);
  }
  [[noreturn]] void refuse(std::string_view problem) const;

 private:
  std::string_view pattern_;
  const std::string& where_;
  bool with_new_;
  std::size_t at_ = 0;
};

/// What a backslash and what follows it mean.
struct Escape {
  enum class Kind { Character, Set, Other } kind = Kind::Other;
  std::int32_t code_point = 0;  ///< Character
  std::string items;            ///< Set: what stands between PCRE2's brackets,
  bool negated = false;         ///< and whether it is the characters that are not in it
};

/// Reads an escape whose backslash was read. Kind::Other reads nothing.
Escape read_escape(PatternReader& reader, bool in_class);

/// Reads a class whose '[' was read: a PCRE2 expression for one character.
std::string read_class(PatternReader& reader);

/// `\x{HEX}`.
std::string code_point_escape(std::int32_t code_point);

/// A set as a PCRE2 class.
std::string class_of(const std::string& items, bool negated);

}  // namespace aha
