#include "data/tokenizer/onig_syntax.h"

#include <vector>

#include "data/tokenizer/onig_class.h"
#include "data/tokenizer/onig_property.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where, bool with_new)
      : reader_(pattern, where, with_new) {}

  std::string run() {
    while (!reader_.done())
      step();
    if (groups_.size() != 1) reader_.refuse("')' is missing");
    return out_ + std::string(groups_.back().pending, ')');
  }

 private:
  /// An open group: where it begins in `out_`, and how many ')' close what option settings opened.
  struct Group {
    std::size_t start = 0;
    std::size_t pending = 0;
  };

  void step() {
    if (reader_.take("\\")) return escape();
    if (reader_.take("[")) return atom(read_class(reader_));
    if (reader_.take("(")) return open();
    if (reader_.take(")")) return close();
    if (reader_.next_is("{")) return interval();
    const char c = reader_.peek();
    if (c == '*' || c == '+' || c == '?') {
      out_ += reader_.take_character();
      if (reader_.next_is("?") || reader_.next_is("+")) out_ += reader_.take_character();
      return;
    }
    atom(std::string(reader_.take_character()));
  }

  void atom(const std::string& expression) {
    atom_ = out_.size();
    out_ += expression;
  }

  void escape() {
    const auto escape = read_escape(reader_, false);
    if (escape.kind == Escape::Kind::Character) return atom(code_point_escape(escape.code_point));
    if (escape.kind == Escape::Kind::Set) return atom(class_of(escape.items, escape.negated));
    const auto word = class_of(word_items(Place::Alone, reader_.with_new()), false);
    if (reader_.take("b")) return atom(fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", word));
    if (reader_.take("B")) return atom(fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", word));
    if (reader_.take("k<")) return atom("\\k<" + std::string(reader_.take_until(">")) + ">");
    const char letter = reader_.peek();
    const std::string_view known = "AzZGRX";
    if (known.find(letter) == std::string_view::npos && !is_digit(letter))
      reader_.refuse(fmt::format("'\\{}' is not supported", reader_.take_character()));
    atom("\\" + std::string(reader_.take_character()));
  }

  void open() {
    if (reader_.take("?#")) {
      reader_.take_until(")");
      return;
    }
    groups_.push_back({out_.size(), 0});
    out_ += "(";
    if (!reader_.take("?")) return;
    for (const std::string_view kind : {":", "=", "!", ">", "<=", "<!"}) {
      if (!reader_.take(kind)) continue;
      out_ += "?" + std::string(kind);
      return;
    }
    if (reader_.take("<")) {
      out_ += "?<" + std::string(reader_.take_until(">")) + ">";
      return;
    }
    options();
  }

  /// (?i-m:...) or (?i), which in Ruby holds to the end of the group, alternatives included.
  void options() {
    out_ += "?";
    for (char c = reader_.peek(); c != ':' && c != ')'; c = reader_.peek()) {
      if (c != 'i' && c != 'm' && c != 'x' && c != '-')
        reader_.refuse("a group of an unknown kind");
      out_ += c == 'm' ? 's' : c;
      reader_.take_character();
    }
    out_ += ":";
    if (reader_.take(":")) return;
    reader_.take(")");
    groups_.pop_back();
    ++groups_.back().pending;
  }

  void close() {
    if (groups_.size() == 1) reader_.refuse("'(' is missing");
    out_ += std::string(groups_.back().pending + 1, ')');
    atom_ = groups_.back().start;
    groups_.pop_back();
  }

  std::string digits() {
    const auto start = reader_.position();
    while (is_digit(reader_.peek()))
      reader_.take_character();
    return std::string(reader_.since(start));
  }

  /// {n}, {n,}, {,n}, {n,m}; anything else is the sign itself.
  void interval() {
    const auto start = reader_.position();
    reader_.take("{");
    const auto low = digits();
    const bool comma = reader_.take(",");
    const auto high = comma ? digits() : low;
    if (!reader_.take("}") || (low.empty() && high.empty())) {
      reader_.go_to(start);
      reader_.take("{");
      return atom("\\{");
    }
    out_ += "{" + (low.empty() ? "0" : low) + (comma ? "," + high : "") + "}";
    if (comma && reader_.take("?")) {
      out_ += "?";
    } else if (reader_.next_is("+") || reader_.next_is("?")) {
      // a quantifier of its own in Ruby: neither possessive nor lazy
      out_ = out_.substr(0, atom_) + "(?:" + out_.substr(atom_) + ")";
      out_ += reader_.take_character();
    }
  }

  PatternReader reader_;
  std::string out_;
  std::size_t atom_ = 0;  ///< where the last atom begins in `out_`
  std::vector<Group> groups_{{}};
};

}  // namespace

std::string pcre2_pattern(std::string_view pattern, const std::string& where, bool with_new) {
  return Translator(pattern, where, with_new).run();
}

}  // namespace aha
