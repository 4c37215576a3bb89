#include <cmath>

#include "data/tokenizer/jinja_format.h"
#include "data/tokenizer/jinja_number.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_spec.h"
#include "data/tokenizer/jinja_string.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

bool is_align(char c) {
  return c == '<' || c == '>' || c == '^' || c == '=';
}

Spec spec_of(Runtime& runtime, std::string_view text) {
  Spec spec;
  std::size_t at = 0;
  const auto first = text.empty() ? 0 : character_at(text, 0).size;
  const auto now = [&] { return at < text.size() ? text[at] : '\0'; };
  if (first < text.size() && is_align(text[first])) {
    spec.fill = std::string(text.substr(0, first));
    spec.align = text[first];
    at = first + 1;
  } else if (is_align(now())) {
    spec.align = text[at++];
  }
  if (now() == '+' || now() == '-' || now() == ' ') spec.sign = text[at++];
  if (now() == '#') {
    spec.alternate = true;
    ++at;
  }
  if (now() == '0') {
    if (spec.align == 0) {
      spec.align = '=';
      spec.fill.assign(1, '0');
    }
    ++at;
  }
  spec.width = number_in(runtime, text, at);
  if (now() == ',') {
    spec.grouped = true;
    ++at;
  }
  if (now() == '.') {
    ++at;
    spec.precision = number_in(runtime, text, at);
  }
  if (at < text.size()) spec.type = text[at++];
  if (at < text.size()) runtime.fail(fmt::format("the format '{}' is not supported", text));
  return spec;
}

std::string formatted(Runtime& runtime, const Value& value, std::string_view format) {
  if (format.empty()) return to_text(runtime, value);
  const auto spec = spec_of(runtime, format);
  if (is_text(value) && (spec.type == 0 || spec.type == 's'))
    return text_text(bytes_of(value), spec);
  const auto known = [&](std::string_view types) {
    return spec.type == 0 || types.find(spec.type) != std::string_view::npos;
  };
  if (is<double>(value) && known("eEfFgG%")) return float_text(std::get<double>(value), spec);
  const auto whole = as_integer(value);
  if (whole && known("dxXob") && !(spec.type == 0 && is<bool>(value)))
    return whole_text(*whole, spec);
  if (whole && known("eEfFgG%")) return float_text(static_cast<double>(*whole), spec);
  runtime.fail(fmt::format("the format '{}' is not supported for '{}'", format, type_name(value)));
}

class BraceFormat {
 public:
  BraceFormat(Runtime& runtime, std::string_view format, const Arguments& arguments)
      : runtime_(runtime), format_(format), arguments_(arguments) {}

  Value run() {
    std::string out;
    for (std::size_t at = 0; at < format_.size(); ++at) {
      const char c = format_[at];
      if (c != '{' && c != '}') {
        out += c;
      } else if (at + 1 < format_.size() && format_[at + 1] == c) {
        out += c;
        ++at;
      } else {
        const auto close = format_.find('}', at);
        if (c == '}' || close == std::string_view::npos)
          runtime_.fail("format: a brace without its partner");
        out += place(format_.substr(at + 1, close - at - 1));
        at = close;
      }
      if (out.size() > runtime_.limits().output) runtime_.fail("a text is too long");
    }
    return runtime_.text(std::move(out));
  }

 private:
  std::string place(std::string_view inner) {
    const auto colon = inner.find(':');
    const auto format = colon == std::string_view::npos ? "" : inner.substr(colon + 1);
    inner = inner.substr(0, colon);
    const auto bang = inner.find('!');
    const auto how = bang == std::string_view::npos ? "" : inner.substr(bang + 1);
    const auto found = argument(inner.substr(0, bang));
    if (how.empty()) return formatted(runtime_, found, format);
    if (how != "s" && how != "r") runtime_.fail(fmt::format("format: '!{}' is not supported", how));
    const auto text = how == "s" ? to_text(runtime_, found) : repr(runtime_, found);
    return formatted(runtime_, runtime_.text(text), format);
  }

  Value argument(std::string_view name) {
    const bool digits =
        !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits || name.empty()) {
      if (by_number_.value_or(digits) != digits) runtime_.fail("format: both '{}' and '{0}'");
      by_number_ = digits;
    }
    if (name.empty()) return positional(next_++);
    if (name.find_first_of(".[{") != std::string_view::npos)
      runtime_.fail(fmt::format("format: '{{{}}}' is not supported", name));
    if (const auto number = whole_number(name, 10))
      return positional(static_cast<std::size_t>(*number));
    for (const auto& [key, value] : arguments_.named)
      if (key == name) return value;
    runtime_.fail(fmt::format("format: there is no value '{}'", name));
  }

  Value positional(std::size_t at) {
    if (at >= arguments_.positional.size()) runtime_.fail("format: fewer values than places");
    return arguments_.positional[at];
  }

  Runtime& runtime_;
  std::string_view format_;
  const Arguments& arguments_;
  std::size_t next_ = 0;
  std::optional<bool> by_number_;
};

}  // namespace

Value brace_format(Runtime& runtime, std::string_view format, const Arguments& arguments) {
  return BraceFormat(runtime, format, arguments).run();
}

}  // namespace aha::jinja
