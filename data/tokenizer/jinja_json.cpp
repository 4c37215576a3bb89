#include <algorithm>
#include <cmath>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

/// json.dumps as Python writes it.
class Writer {
 public:
  Writer(Call& call, std::string& out) : call_(call), out_(out) {
    const auto given = call.bound({"ensure_ascii", "indent", "separators", "sort_keys"});
    ascii_ = call.flag(given[0], false);
    sorted_ = call.flag(given[3], false);
    if (given[1] && !is<None>(*given[1])) {
      indented_ = true;
      comma_.assign(1, ',');
      if (is_text(*given[1]))
        margin_ = bytes_of(*given[1]);
      else
        margin_.assign(
            static_cast<std::size_t>(std::clamp<std::int64_t>(call.integer(given[1], 0), 0, 1000)),
            ' ');
    }
    if (given[2] && !is<None>(*given[2])) {
      const auto both = elements(call.runtime, *given[2]);
      if (both.size() != 2) call.fail("'separators' wants two texts");
      comma_ = call.text(both[0], "");
      colon_ = call.text(both[1], "");
    }
  }

  void value(const Value& value, int depth) {
    call_.runtime.charge(1);
    if (depth > call_.runtime.limits().value_depth) call_.fail("the value is nested too deeply");
    if (out_.size() > call_.runtime.limits().output) call_.fail("the text is too long");
    if (is<None>(value)) {
      out_ += "null";
    } else if (is<bool>(value)) {
      out_ += std::get<bool>(value) ? "true" : "false";
    } else if (is_number(value)) {
      out_ += number(value);
    } else if (is_text(value)) {
      text(bytes_of(value));
    } else if (is<Dict*>(value)) {
      object(*std::get<Dict*>(value), depth + 1);
    } else if (const auto* list = list_of(value);
               list != nullptr && (list->flavor == Flavor::List || list->flavor == Flavor::Tuple)) {
      array(*list, depth + 1);
    } else {
      refuse_undefined(call_.runtime, value);
      call_.fail(fmt::format("'{}' is nothing that JSON has", type_name(value)));
    }
  }

 private:
  std::string number(const Value& value) {
    if (!is<double>(value)) return std::to_string(*as_integer(value));
    const double number = std::get<double>(value);
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return float_repr(number);
  }

  void text(std::string_view bytes) {
    call_.runtime.charge(bytes.size() / 64);
    out_ += '"';
    for (const auto character : characters(bytes))
      escape(character);
    out_ += '"';
  }

  void escape(std::string_view character) {
    constexpr std::string_view kPlain = "\"\\\n\r\t\b\f";
    constexpr std::string_view kLetters = "\"\\nrtbf";
    const auto c = character_at(character, 0).code_point;
    const auto known = character.size() == 1 ? kPlain.find(character[0]) : std::string_view::npos;
    if (known != std::string_view::npos) {
      out_ += '\\';
      out_ += kLetters[known];
    } else if (c < 0x20 || (ascii_ && c >= 0x7F && c < 0x10000)) {
      out_ += fmt::format("\\u{:04x}", c);
    } else if (ascii_ && c >= 0x10000) {
      out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD7C0 + (c >> 10), 0xDC00 + (c & 0x3FF));
    } else {
      out_ += character;
    }
  }

  void new_line(int depth) {
    if (!indented_) return;
    out_ += '\n';
    for (int i = 0; i < depth; ++i)
      out_ += margin_;
  }

  void array(const List& list, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += comma_;
      new_line(depth);
      value(list.items[i], depth);
    }
    if (!list.items.empty()) new_line(depth - 1);
    out_ += ']';
  }

  std::string key_text(const Value& key) {
    if (is_text(key)) return bytes_of(key);
    if (is<None>(key)) return "null";
    if (is<bool>(key)) return std::get<bool>(key) ? "true" : "false";
    if (!is_number(key)) call_.fail(fmt::format("a key of type '{}'", type_name(key)));
    return number(key);
  }

  void object(const Dict& dict, int depth) {
    auto entries = dict.entries;
    if (sorted_)
      std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
        return order(call_.runtime, a.first, b.first) == -1;
      });
    out_ += '{';
    bool begun = false;
    for (const auto& [key, entry] : entries) {
      if (begun) out_ += comma_;
      begun = true;
      new_line(depth);
      text(key_text(key));
      out_ += colon_;
      value(entry, depth);
    }
    if (begun) new_line(depth - 1);
    out_ += '}';
  }

  Call& call_;
  std::string& out_;
  bool ascii_ = false;
  bool sorted_ = false;
  bool indented_ = false;
  std::string margin_;
  std::string comma_ = ", ";
  std::string colon_ = ": ";
};

}  // namespace

Value to_json(Call& call) {
  std::string out;
  Writer(call, out).value(call.self, 0);
  return call.runtime.text(std::move(out));
}

}  // namespace aha::jinja
