#include <array>
#include <charconv>
#include <cmath>

#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/jinja_value.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

std::string joined(Runtime& runtime, const std::vector<Value>& items, int depth) {
  std::string out;
  for (const auto& element : items) {
    if (!out.empty()) out += ", ";
    out += repr(runtime, element, depth);
    if (out.size() > runtime.limits().output) runtime.fail("a printed list is too long");
  }
  return out;
}

std::string list_repr(Runtime& runtime, const List& list, int depth) {
  const auto inner = [&] { return joined(runtime, list.items, depth); };
  switch (list.flavor) {
    case Flavor::List:
      return fmt::format("[{}]", inner());
    case Flavor::Tuple:
      return fmt::format("({}{})", inner(), list.items.size() == 1 ? "," : "");
    case Flavor::Keys:
      return fmt::format("dict_keys([{}])", inner());
    case Flavor::Values:
      return fmt::format("dict_values([{}])", inner());
    case Flavor::Items:
      return fmt::format("dict_items([{}])", inner());
    case Flavor::Range:
      runtime.fail("a range is printed; make it a list first");
    case Flavor::Generator:
      runtime.fail("a generator is printed; make it a list first");
  }
  return {};
}

/// {'a': 1, 2: None}
template <class Entries>
std::string entries_repr(Runtime& runtime, const Entries& entries, int depth) {
  std::string out = "{";
  for (const auto& [key, value] : entries) {
    if (out.size() > 1) out += ", ";
    if constexpr (std::is_same_v<std::decay_t<decltype(key)>, std::string>)
      out += text_repr(key);
    else
      out += repr(runtime, key, depth);
    out += ": " + repr(runtime, value, depth);
    if (out.size() > runtime.limits().output) runtime.fail("a printed mapping is too long");
  }
  return out + "}";
}

void append_escape(std::int32_t c, std::string& out) {
  if (c < 0x100)
    out += fmt::format("\\x{:02x}", c);
  else if (c < 0x10000)
    out += fmt::format("\\u{:04x}", c);
  else
    out += fmt::format("\\U{:08x}", c);
}

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 40> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific)
                       .ptr;
  const std::string_view shortest(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  const auto e = shortest.find('e');
  const int exponent = std::stoi(std::string(shortest.substr(e + 1)));
  if (exponent >= -4 && exponent < 16) {
    const auto fixed_end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed)
            .ptr;
    std::string fixed(buffer.data(), fixed_end);
    return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
  }
  return std::string(shortest);  // C++ and Python write the exponent alike: 1e+16, 1e-05
}

std::string text_repr(std::string_view text) {
  const bool doubled =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = doubled ? '"' : '\'';
  std::string out(1, quote);
  for (const auto character : characters(text)) {
    const auto c = character_at(character, 0).code_point;
    if (c == quote || c == '\\')
      out.append(1, '\\').append(character);
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (is_printable(c))
      out += character;
    else
      append_escape(c, out);
  }
  return out + quote;
}

std::string repr(Runtime& runtime, const Value& value, int depth) {
  if (depth > runtime.limits().value_depth) runtime.fail("a value is nested too deeply to print");
  runtime.charge(1);
  if (is<Undefined>(value)) return "Undefined";
  if (is<None>(value)) return "None";
  if (is<bool>(value)) return std::get<bool>(value) ? "True" : "False";
  if (is<std::int64_t>(value)) return std::to_string(std::get<std::int64_t>(value));
  if (is<double>(value)) return float_repr(std::get<double>(value));
  if (is_text(value)) {
    runtime.charge(bytes_of(value).size() / 64);
    const auto quoted = text_repr(bytes_of(value));
    return std::get<const Text*>(value)->markup ? "Markup(" + quoted + ")" : quoted;
  }
  if (const auto* list = list_of(value)) return list_repr(runtime, *list, depth + 1);
  if (is<Dict*>(value)) return entries_repr(runtime, std::get<Dict*>(value)->entries, depth + 1);
  if (is<Namespace*>(value))
    return "<Namespace " +
           entries_repr(runtime, std::get<Namespace*>(value)->attributes, depth + 1) + ">";
  auto shown = std::get<Callable*>(value)->description();
  if (shown.empty()) runtime.fail("a function is printed; call it with '()'");
  return shown;
}

std::string to_text(Runtime& runtime, const Value& value) {
  if (is_text(value)) {
    runtime.charge(bytes_of(value).size() / 1024);
    return bytes_of(value);
  }
  if (is<Undefined>(value)) return {};
  return repr(runtime, value);
}

}  // namespace aha::jinja
