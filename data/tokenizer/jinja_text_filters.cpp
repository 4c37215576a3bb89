#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_format.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

/// The text of what is filtered, whatever it is.
std::string self_text(Call& call) {
  return to_text(call.runtime, call.self);
}

bool is_markup(const Value& value) {
  return is_text(value) && std::get<const Text*>(value)->markup;
}

template <std::string (*change)(std::string_view)>
Value changed(Call& call) {
  call.bound({});
  return call.runtime.text(change(self_text(call)), is_markup(call.self));
}

/// Words begin at the start and behind white space, '-' and opening brackets.
std::string title_filter(std::string_view text) {
  std::string out;
  std::string word;
  const auto flush = [&] {
    if (word.empty()) return;
    const auto first = character_at(word, 0).size;
    out += upper(std::string_view(word).substr(0, first)) +
           lower(std::string_view(word).substr(first));
    word.clear();
  };
  bool between = false;
  for (const auto character : characters(text)) {
    const auto c = character_at(character, 0).code_point;
    const bool separates =
        is_python_space(c) ||
        (c < 0x80 && c != 0 &&
         std::string_view("-({[<").find(static_cast<char>(c)) != std::string_view::npos);
    if (separates != between) flush();
    between = separates;
    word += character;
  }
  flush();
  return out;
}

Value trim(Call& call) {
  const auto given = call.bound({"chars"});
  const auto text = self_text(call);
  if (!given[0] || is<None>(*given[0]))
    return call.runtime.text(std::string(stripped(text, Side::Both)), is_markup(call.self));
  return call.runtime.text(std::string(stripped(text, Side::Both, call.text(given[0], ""))),
                           is_markup(call.self));
}

Value replace(Call& call) {
  const auto given = call.bound({"old", "new", "count"}, 2);
  const bool all = !given[2] || is<None>(*given[2]);
  return replaced_text(call, self_text(call), to_text(call.runtime, *given[0]),
                       to_text(call.runtime, *given[1]), all ? -1 : call.integer(given[2], -1));
}

Value escape(Call& call) {
  call.bound({});
  const auto text = self_text(call);
  return call.runtime.text(is_markup(call.self) ? text : escaped(text), true);
}

Value force_escape(Call& call) {
  return call.runtime.text(escaped(self_text(call)), true);
}

Value safe(Call& call) {
  call.bound({});
  return call.runtime.text(self_text(call), true);
}

Value indent(Call& call) {
  const auto given = call.bound({"width", "first", "blank"});
  refuse_undefined(call.runtime, call.self);
  const auto text = call.text(call.self, "") + "\n";
  if (given[0] && as_integer(*given[0]).value_or(0) > 10000) call.fail("the width is too large");
  const auto margin =
      given[0] && is_text(*given[0])
          ? bytes_of(*given[0])
          : std::string(
                static_cast<std::size_t>(std::max<std::int64_t>(0, call.integer(given[0], 4))),
                ' ');
  const bool blank = call.flag(given[2], false);
  std::string out = call.flag(given[1], false) ? margin : "";
  bool first = true;
  for (const auto line : split_lines(text, false)) {
    if (!first) out += "\n";
    if (!first && (blank || !line.empty())) out += margin;
    out += line;
    first = false;
    if (out.size() > call.runtime.limits().output) call.fail("the text is too long");
  }
  return call.runtime.text(std::move(out), is_markup(call.self));
}

Value format(Call& call) {
  if (!call.arguments.named.empty() && !call.arguments.positional.empty())
    call.fail("takes values by place or by name, not both");
  Value values;
  if (!call.arguments.named.empty()) {
    auto* named = call.runtime.dict();
    for (const auto& [key, value] : call.arguments.named)
      named->entries.emplace_back(call.runtime.text(key), value);
    values = named;
  } else {
    values = call.runtime.list(call.arguments.positional, Flavor::Tuple);
  }
  return percent_format(call.runtime, self_text(call), values);
}

Value center(Call& call) {
  const auto given = call.bound({"width"});
  return justified(call, self_text(call), call.integer(given[0], 80), ' ', '^');
}

Value truncate(Call& call) {
  const auto given = call.bound({"length", "killwords", "end", "leeway"});
  const auto text = self_text(call);
  const auto limit = call.integer(given[0], 255);
  const auto end = call.text(given[2], "...");
  const auto end_size = static_cast<std::int64_t>(character_count(end));
  const auto leeway = given[3] && !is<None>(*given[3]) ? call.integer(given[3], 5) : 5;
  if (limit < end_size || leeway < 0) call.fail("length or leeway is too small");
  if (static_cast<std::int64_t>(character_count(text)) <= limit + leeway)
    return call.runtime.text(text);
  auto kept = std::string_view(text).substr(
      0, byte_offset(text, static_cast<std::size_t>(limit - end_size)));
  if (!call.flag(given[1], false)) kept = kept.substr(0, kept.rfind(' '));
  return call.runtime.text(std::string(kept) + end);
}

Value word_count(Call& call) {
  std::int64_t words = 0;
  bool inside = false;
  for (const auto character : characters(self_text(call))) {
    const bool word = is_word(character_at(character, 0).code_point);
    if (word && !inside) ++words;
    inside = word;
  }
  return words;
}

Value url_encode(Call& call) {
  if (!is_text(call.self) && !is_number(call.self)) call.fail("wants a text");
  std::string out;
  for (const char c : self_text(call)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("_.-~/").find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return call.runtime.text(std::move(out));
}

Value string(Call& call) {
  call.bound({});
  if (is_text(call.self)) return call.self;
  return call.runtime.text(self_text(call));
}

constexpr NamedBuiltin kFilters[] = {
    {"trim", trim},
    {"upper", changed<upper>},
    {"lower", changed<lower>},
    {"title", changed<title_filter>},
    {"capitalize", changed<capitalize>},
    {"replace", replace},
    {"escape", escape},
    {"e", escape},
    {"forceescape", force_escape},
    {"safe", safe},
    {"indent", indent},
    {"format", format},
    {"center", center},
    {"truncate", truncate},
    {"wordcount", word_count},
    {"urlencode", url_encode},
    {"string", string},
    {"tojson", to_json},
};

}  // namespace

Value replaced_text(Call& call, const std::string& text, const std::string& from,
                    const std::string& to, std::int64_t limit) {
  std::size_t found = character_count(text) + 1;
  if (!from.empty()) {
    found = 0;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + from.size()))
      ++found;
  }
  if (limit >= 0) found = std::min(found, static_cast<std::size_t>(limit));
  call.runtime.charge(text.size() / 256);
  if (!to.empty() && found > call.runtime.limits().output / to.size())
    call.fail("the text is too long");
  return call.runtime.text(replaced(text, from, to, limit));
}

Value justified(Call& call, const std::string& text, std::int64_t width, char fill, char to) {
  const auto size = static_cast<std::int64_t>(character_count(text));
  if (width > static_cast<std::int64_t>(call.runtime.limits().output))
    call.fail("the width is too large");
  if (width <= size) return call.runtime.text(text);
  const auto room = width - size;
  // str.center puts the odd character left when the width is odd
  auto left = to == '<' ? 0 : to == '>' ? room : room / 2 + (room & width & 1);
  return call.runtime.text(std::string(static_cast<std::size_t>(left), fill) + text +
                           std::string(static_cast<std::size_t>(room - left), fill));
}

Builtin text_filter(std::string_view name) {
  return in_table(kFilters, name);
}

}  // namespace aha::jinja
