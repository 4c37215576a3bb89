#include "data/tokenizer/onig_class.h"

#include <optional>
#include <vector>

#include "data/tokenizer/onig_property.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

std::int32_t hex_value(PatternReader& reader, std::string_view digits) {
  std::int32_t value = 0;
  for (const char c : digits) {
    const auto lower = static_cast<char>(c | 0x20);
    const bool decimal = c >= '0' && c <= '9';
    if ((!decimal && (lower < 'a' || lower > 'f')) || value > 0x10FFFF)
      reader.refuse(fmt::format("'{}' is no code point", digits));
    value = value * 16 + (decimal ? c - '0' : lower - 'a' + 10);
  }
  if (digits.empty() || value > 0x10FFFF)
    reader.refuse(fmt::format("'{}' is no code point", digits));
  return value;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::int32_t read_hex(PatternReader& reader, std::size_t most) {
  if (most == 2 && reader.take("{")) return hex_value(reader, reader.take_until("}"));
  const auto start = reader.position();
  while (reader.position() - start < most && is_hex(reader.peek()))
    reader.take_character();
  return hex_value(reader, reader.since(start));
}

Escape character_escape(std::int32_t code_point) {
  return {Escape::Kind::Character, code_point, "", false};
}

Escape set_escape(std::string items, bool negated) {
  return {Escape::Kind::Set, 0, std::move(items), negated};
}

/// Escapes of one letter that stand for one character.
std::optional<std::int32_t> control(char letter, bool in_class) {
  switch (letter) {
    case 'n':
      return 0x0A;
    case 'r':
      return 0x0D;
    case 't':
      return 0x09;
    case 'f':
      return 0x0C;
    case 'v':
      return 0x0B;
    case 'a':
      return 0x07;
    case 'e':
      return 0x1B;
    case '0':
      return 0x00;
    case 'b':
      return in_class ? std::optional(0x08) : std::nullopt;
    default:
      return std::nullopt;
  }
}

/// Escapes of one letter that stand for a set; the capital is its complement.
std::optional<std::string> letter_set(char small, Place place, bool with_new) {
  switch (small) {
    case 's':
      return kSpaceItems;
    case 'd':
      return property_items("Nd", place, with_new);
    case 'w':
      return word_items(place, with_new);
    case 'h':
      return "0-9a-fA-F";
    default:
      return std::nullopt;
  }
}

/// Members of a class: items between brackets, and expressions that no bracket can hold.
struct Set {
  std::string items;
  std::vector<std::string> others;

  std::string expression() const {
    if (others.empty()) return class_of(items, false);
    std::string any = items.empty() ? "" : class_of(items, false);
    for (const auto& other : others)
      any += (any.empty() ? "" : "|") + other;
    return "(?:" + any + ")";
  }
};

/// A member that may begin a range: its code point, when it is one character.
std::optional<std::int32_t> read_member(PatternReader& reader, Set& set) {
  if (reader.take("[:")) {
    const bool negated = reader.take("^");
    const auto name = reader.take_until(":]");
    const auto named = [&](std::string_view property) {
      return property_items(property, Place::Bracket, reader.with_new());
    };
    const auto items = named(name) + (name == "punct" ? named("symbol") : "");
    if (negated)
      set.others.push_back(class_of(items, true));
    else
      set.items += items;
    return std::nullopt;
  }
  if (reader.take("[")) {
    set.others.push_back(read_class(reader));
    return std::nullopt;
  }
  if (!reader.take("\\")) return character_at(reader.take_character(), 0).code_point;
  auto escape = read_escape(reader, true);
  if (escape.kind == Escape::Kind::Character) return escape.code_point;
  if (escape.kind == Escape::Kind::Other)
    return character_at(reader.take_character(), 0).code_point;
  if (escape.negated)
    set.others.push_back(class_of(escape.items, true));
  else
    set.items += escape.items;
  return std::nullopt;
}

}  // namespace

bool PatternReader::take(std::string_view text) {
  if (!next_is(text)) return false;
  at_ += text.size();
  return true;
}

std::string_view PatternReader::take_character() {
  if (done()) refuse("it ends too early");
  const auto start = at_;
  at_ += character_at(pattern_, at_).size;
  return pattern_.substr(start, at_ - start);
}

std::string_view PatternReader::take_until(std::string_view end) {
  const auto found = pattern_.find(end, at_);
  if (found == std::string_view::npos) refuse(fmt::format("'{}' is missing", end));
  const auto text = pattern_.substr(at_, found - at_);
  at_ = found + end.size();
  return text;
}

void PatternReader::refuse(std::string_view problem) const {
  fail("{}: cannot use the regular expression '{}': {}", where_, pattern_, problem);
}

std::string code_point_escape(std::int32_t code_point) {
  return fmt::format(R"(\x{{{:x}}})", code_point);
}

std::string class_of(const std::string& items, bool negated) {
  return (negated ? "[^" : "[") + items + "]";
}

Escape read_escape(PatternReader& reader, bool in_class) {
  const char letter = reader.peek();
  const bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9');
  if (!is_letter) return character_escape(character_at(reader.take_character(), 0).code_point);
  if (const auto code_point = control(letter, in_class)) {
    reader.take_character();
    return character_escape(*code_point);
  }
  const auto small = static_cast<char>(letter | 0x20);
  const auto place = in_class ? Place::Bracket : Place::Alone;
  if (const auto items = letter_set(small, place, reader.with_new())) {
    reader.take_character();
    return set_escape(*items, letter != small);
  }
  if (small == 'p' && reader.peek(1) == '{') {
    reader.take_character();
    reader.take("{");
    const bool caret = reader.take("^");
    return set_escape(property_items(reader.take_until("}"), place, reader.with_new()),
                      caret != (letter == 'P'));
  }
  if (reader.take("x")) return character_escape(read_hex(reader, 2));
  if (reader.take("u")) return character_escape(read_hex(reader, 4));
  return {};
}

std::string read_class(PatternReader& reader) {
  const bool negated = reader.take("^");
  std::vector<std::string> sides;  // of &&
  Set set;
  bool first = true;
  while (!reader.next_is("]") || first) {
    if (reader.done()) reader.refuse("']' is missing");
    if (reader.take("&&")) {
      sides.push_back(set.expression());
      set = Set{};
      first = true;
      continue;
    }
    const auto low =
        first && reader.take("]") ? std::optional<std::int32_t>(']') : read_member(reader, set);
    first = false;
    if (!low) continue;
    set.items += code_point_escape(*low);
    if (reader.peek() != '-' || reader.peek(1) == ']') continue;
    reader.take("-");
    Set end;
    const auto high = read_member(reader, end);
    if (!high || *high < *low) reader.refuse("a range of a class has no end");
    set.items += "-" + code_point_escape(*high);
  }
  reader.take("]");
  if (sides.empty() && set.others.empty()) return class_of(set.items, negated);
  std::string expression;
  for (const auto& side : sides)
    expression.append("(?=").append(side).append(")");
  expression += set.expression();
  return negated ? "(?:(?!" + expression + ")(?s:.))" : "(?:" + expression + ")";
}

}  // namespace aha
