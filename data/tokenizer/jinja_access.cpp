#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

std::string object_name(const Value& value) {
  return is<None>(value) ? "None" : fmt::format("{} object", type_name(value));
}

const Value* entry(Runtime& runtime, const Value& value, std::string_view name) {
  if (!is<Dict*>(value)) return nullptr;
  const auto& entries = std::get<Dict*>(value)->entries;
  runtime.charge(1 + entries.size() / 16);
  for (const auto& [key, found] : entries)
    if (is_text(key) && bytes_of(key) == name) return &found;
  return nullptr;
}

/// An attribute of the type itself: a method, or a namespace's or loop's variable.
std::optional<Value> own_attribute(Runtime& runtime, const Value& value, std::string_view name) {
  if (name.starts_with("__"))
    return runtime.undefined(fmt::format("access to attribute '{}' is unsafe", name));
  if (is<Callable*>(value)) return std::get<Callable*>(value)->attribute(runtime, name);
  if (is<Namespace*>(value)) {
    for (const auto& [key, found] : std::get<Namespace*>(value)->attributes)
      if (key == name) return found;
    return std::nullopt;
  }
  return method(runtime, value, name);
}

/// An index of a sequence of `size`, counted from the end when negative.
std::optional<std::size_t> position(std::int64_t index, std::int64_t size) {
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::optional<Value> element(Runtime& runtime, const Value& value, const Value& key) {
  if (is<Dict*>(value)) {
    if (is<Dict*>(key) || (is<List*>(key) && list_of(key)->flavor != Flavor::Tuple))
      return std::nullopt;
    const auto* found = find(runtime, *std::get<Dict*>(value), key);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  const auto index = as_integer(key);
  if (!index) return std::nullopt;
  if (is_sequence(value)) {
    const auto& items = list_of(value)->items;
    const auto at = position(*index, std::ssize(items));
    return at ? std::optional<Value>(items[*at]) : std::nullopt;
  }
  if (!is_text(value)) return std::nullopt;
  const auto& bytes = bytes_of(value);
  runtime.charge(bytes.size() / 64);
  const auto at = position(*index, static_cast<std::int64_t>(character_count(bytes)));
  if (!at) return std::nullopt;
  const auto begin = byte_offset(bytes, *at);
  return runtime.text(
      std::string(bytes.substr(begin, byte_offset(std::string_view(bytes).substr(begin), 1))),
      std::get<const Text*>(value)->markup);
}

std::int64_t bound(Runtime& runtime, const Value& value, std::int64_t absent, std::int64_t low,
                   std::int64_t high, std::int64_t size) {
  if (is<None>(value)) return absent;
  const auto index = as_integer(value);
  if (!index) runtime.fail("a slice wants whole numbers or none");
  return std::clamp(*index < 0 ? *index + size : *index, low, high);
}

}  // namespace

Value attribute(Runtime& runtime, const Value& value, std::string_view name) {
  refuse_undefined(runtime, value);
  if (const auto own = own_attribute(runtime, value, name)) return *own;
  if (const auto* found = entry(runtime, value, name)) return *found;
  return runtime.undefined(fmt::format("'{}' has no attribute '{}'", object_name(value), name));
}

Value item(Runtime& runtime, const Value& value, const Value& key) {
  refuse_undefined(runtime, value);
  if (const auto found = element(runtime, value, key)) return *found;
  if (is_text(key) && !is<Namespace*>(value)) {
    if (const auto own = own_attribute(runtime, value, bytes_of(key))) return *own;
  } else if (is_text(key)) {
    return attribute(runtime, value, bytes_of(key));
  }
  auto shown = is_text(key) || is_number(key) ? repr(runtime, key) : type_name(key);
  return runtime.undefined(fmt::format("'{}' has no element {}", object_name(value), shown));
}

Value slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop,
            const Value& step) {
  refuse_undefined(runtime, value);
  if (!is_text(value) && !is_sequence(value))
    return runtime.undefined(fmt::format("'{}' cannot be sliced", object_name(value)));
  const auto stride = is<None>(step) ? std::optional<std::int64_t>(1) : as_integer(step);
  if (!stride || *stride == 0) runtime.fail("the step of a slice is a whole number that is not 0");
  std::vector<std::string_view> letters;
  if (is_text(value)) {
    runtime.charge_bytes(bytes_of(value).size() * sizeof(std::string_view));
    letters = characters(bytes_of(value));
  }
  const auto size = is_text(value) ? std::ssize(letters) : std::ssize(list_of(value)->items);
  const bool down = *stride < 0;
  const std::int64_t low = down ? -1 : 0;
  const std::int64_t high = down ? size - 1 : size;
  auto at = bound(runtime, start, down ? high : low, low, high, size);
  const auto end = bound(runtime, stop, down ? low : high, low, high, size);
  std::string text;
  std::vector<Value> items;
  while (down ? at > end : at < end) {
    const auto i = static_cast<std::size_t>(at);
    if (is_text(value))
      text += letters[i];
    else
      items.push_back(list_of(value)->items[i]);
    if (__builtin_add_overflow(at, *stride, &at)) break;
  }
  if (is_text(value)) return runtime.text(std::move(text), std::get<const Text*>(value)->markup);
  return runtime.list(std::move(items), list_of(value)->flavor);
}

Value call(Runtime& runtime, const Value& callee, Arguments& arguments) {
  refuse_undefined(runtime, callee);
  if (!is<Callable*>(callee))
    runtime.fail(fmt::format("'{}' object is not callable", type_name(callee)));
  return std::get<Callable*>(callee)->call(runtime, arguments);
}

}  // namespace aha::jinja
