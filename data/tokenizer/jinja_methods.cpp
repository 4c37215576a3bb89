#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_format.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

const std::string& self(Call& call) {
  return bytes_of(call.self);
}

Value text_like(Call& call, std::string_view text) {
  return call.runtime.text(std::string(text), std::get<const Text*>(call.self)->markup);
}

template <std::string (*change)(std::string_view)>
Value changed(Call& call) {
  call.bound({});
  return text_like(call, change(self(call)));
}

template <Side side>
Value strip(Call& call) {
  const auto given = call.bound({"chars"});
  if (!given[0] || is<None>(*given[0])) return text_like(call, stripped(self(call), side));
  return text_like(call, stripped(self(call), side, call.text(given[0], "")));
}

Value parts(Call& call, const std::vector<std::string_view>& found) {
  std::vector<Value> items;
  items.reserve(found.size());
  for (const auto part : found)
    items.push_back(text_like(call, part));
  return call.runtime.list(std::move(items));
}

template <bool from_right>
Value split(Call& call) {
  const auto given = call.bound({"sep", "maxsplit"});
  const auto limit = call.integer(given[1], -1);
  call.runtime.charge_bytes(self(call).size() * 2);
  if (!given[0] || is<None>(*given[0]))
    return parts(call, split_space(self(call), limit, from_right));
  const auto separator = call.text(given[0], "");
  if (separator.empty()) call.fail("the separator is empty");
  return parts(call, split_at(self(call), separator, limit, from_right));
}

Value lines(Call& call) {
  const auto given = call.bound({"keepends"});
  call.runtime.charge_bytes(self(call).size() * 2);
  return parts(call, split_lines(self(call), call.flag(given[0], false)));
}

template <bool from_right>
Value partition(Call& call) {
  const auto given = call.bound({"sep"}, 1);
  const auto separator = call.text(given[0], "");
  if (separator.empty()) call.fail("the separator is empty");
  std::string_view text = self(call);
  const auto at = from_right ? text.rfind(separator) : text.find(separator);
  std::vector<Value> found;
  if (at == std::string_view::npos)
    for (const bool here : {!from_right, false, from_right})
      found.push_back(text_like(call, here ? text : ""));
  else
    found = {text_like(call, text.substr(0, at)), text_like(call, separator),
             text_like(call, text.substr(at + separator.size()))};
  return call.runtime.list(std::move(found), Flavor::Tuple);
}

/// The part that start and end (in characters) leave, with where it begins; nothing when they cross.
std::optional<std::string_view> window(Call& call, const std::optional<Value>& from,
                                       const std::optional<Value>& to) {
  const auto& text = self(call);
  const auto size = static_cast<std::int64_t>(character_count(text));
  const auto bound = [&](const std::optional<Value>& value, std::int64_t absent) {
    const auto at = !value || is<None>(*value) ? absent : call.integer(value, absent);
    return at < 0 ? std::max<std::int64_t>(0, at + size) : at;
  };
  const auto begin = bound(from, 0);
  const auto end = std::min(bound(to, size), size);
  if (begin > end) return std::nullopt;
  const auto first = byte_offset(text, static_cast<std::size_t>(begin));
  return std::string_view(text).substr(first,
                                       byte_offset(text, static_cast<std::size_t>(end)) - first);
}

template <bool at_end>
Value touches(Call& call) {
  const auto given = call.bound({"prefix", "start", "end"}, 1);
  const auto part = window(call, given[1], given[2]);
  std::vector<Value> choices = {*given[0]};
  if (const auto* list = list_of(*given[0]); list != nullptr && list->flavor == Flavor::Tuple)
    choices = list->items;
  return std::any_of(choices.begin(), choices.end(), [&](const Value& choice) {
    const auto piece = call.text(choice, "");
    return part && (at_end ? part->ends_with(piece) : part->starts_with(piece));
  });
}

/// The place in characters, or -1.
template <bool from_right>
std::int64_t place(Call& call) {
  const auto given = call.bound({"sub", "start", "end"}, 1);
  const auto piece = call.text(given[0], "");
  const auto part = window(call, given[1], given[2]);
  if (!part) return -1;
  const auto at = from_right ? part->rfind(piece) : part->find(piece);
  if (at == std::string_view::npos) return -1;
  const auto before = static_cast<std::size_t>(part->data() - self(call).data()) + at;
  return static_cast<std::int64_t>(character_count(std::string_view(self(call)).substr(0, before)));
}

template <bool from_right>
Value find_text(Call& call) {
  return place<from_right>(call);
}

template <bool from_right>
Value index_text(Call& call) {
  const auto at = place<from_right>(call);
  if (at < 0) call.fail("the text is not in it");
  return at;
}

Value count_text(Call& call) {
  const auto given = call.bound({"sub", "start", "end"}, 1);
  const auto piece = call.text(given[0], "");
  const auto part = window(call, given[1], given[2]);
  if (!part) return std::int64_t{0};
  if (piece.empty()) return static_cast<std::int64_t>(character_count(*part)) + 1;
  return std::ssize(split_at(*part, piece, -1, false)) - 1;
}

Value replace(Call& call) {
  const auto given = call.bound({"old", "new", "count"}, 2);
  return replaced_text(call, self(call), call.text(given[0], ""), call.text(given[1], ""),
                       call.integer(given[2], -1));
}

Value join(Call& call) {
  const auto given = call.bound({"iterable"}, 1);
  std::string out;
  bool begun = false;
  for (const auto& part : elements(call.runtime, *given[0])) {
    if (begun) out += self(call);
    begun = true;
    out += call.text(part, "");
    call.runtime.charge(1 + self(call).size() / 1024);
    if (out.size() > call.runtime.limits().output) call.fail("the text is too long");
  }
  return call.runtime.text(std::move(out));
}

template <bool at_end>
Value without(Call& call) {
  const auto given = call.bound({"prefix"}, 1);
  const auto piece = call.text(given[0], "");
  std::string_view text = self(call);
  if (at_end && text.ends_with(piece)) text.remove_suffix(piece.size());
  if (!at_end && text.starts_with(piece)) text.remove_prefix(piece.size());
  return text_like(call, text);
}

Value format(Call& call) {
  return brace_format(call.runtime, self(call), call.arguments);
}

template <bool (*holds)(std::int32_t)>
Value all_are(Call& call) {
  const auto letters = characters(self(call));
  return !letters.empty() && std::all_of(letters.begin(), letters.end(), [](auto letter) {
    return holds(character_at(letter, 0).code_point);
  });
}

bool is_digit(std::int32_t c) {
  return c >= '0' && c <= '9';
}
bool is_letter(std::int32_t c) {
  return is_word(c) && !aha::is_number(c) && c != '_';
}
bool is_letter_or_digit(std::int32_t c) {
  return is_word(c) && c != '_';
}
bool is_ascii(std::int32_t c) {
  return c < 0x80;
}

Value ascii(Call& call) {
  return self(call).empty() ? Value(true) : all_are<is_ascii>(call);
}
Value is_upper(Call& call) {
  return upper(self(call)) == self(call) && lower(self(call)) != self(call);
}
Value is_lower(Call& call) {
  return lower(self(call)) == self(call) && upper(self(call)) != self(call);
}
Value is_title(Call& call) {
  return title(self(call)) == self(call) && lower(self(call)) != self(call);
}

template <char to>
Value justify(Call& call) {
  const auto given = call.bound({"width", "fillchar"}, 1);
  const auto fill = call.text(given[1], " ");
  if (fill.size() != 1) call.fail("the fill is one ASCII character");
  return justified(call, self(call), call.integer(given[0], 0), fill[0], to);
}

Value zero_fill(Call& call) {
  const auto given = call.bound({"width"}, 1);
  const auto& text = self(call);
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const auto digits = has_sign ? text.substr(1) : text;
  const auto filled =
      justified(call, digits, call.integer(given[0], 0) - (has_sign ? 1 : 0), '0', '>');
  return has_sign ? call.runtime.text(text.substr(0, 1) + bytes_of(filled)) : filled;
}

std::string swapped(std::string_view text) {
  std::string out;
  for (const auto letter : characters(text)) {
    const auto high = upper(letter);
    out += high == letter ? lower(letter) : high;
  }
  return out;
}

constexpr NamedBuiltin kMethods[] = {
    {"strip", strip<Side::Both>},
    {"lstrip", strip<Side::Left>},
    {"rstrip", strip<Side::Right>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"splitlines", lines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"startswith", touches<false>},
    {"endswith", touches<true>},
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"title", changed<title>},
    {"capitalize", changed<capitalize>},
    {"swapcase", changed<swapped>},
    {"replace", replace},
    {"find", find_text<false>},
    {"rfind", find_text<true>},
    {"index", index_text<false>},
    {"rindex", index_text<true>},
    {"count", count_text},
    {"join", join},
    {"removeprefix", without<false>},
    {"removesuffix", without<true>},
    {"format", format},
    {"isdigit", all_are<is_digit>},
    {"isalpha", all_are<is_letter>},
    {"isalnum", all_are<is_letter_or_digit>},
    {"isspace", all_are<is_python_space>},
    {"isascii", ascii},
    {"isupper", is_upper},
    {"islower", is_lower},
    {"istitle", is_title},
    {"center", justify<'^'>},
    {"ljust", justify<'<'>},
    {"rjust", justify<'>'>},
    {"zfill", zero_fill},
};

}  // namespace

Builtin text_method(std::string_view name) {
  return in_table(kMethods, name);
}

}  // namespace aha::jinja
