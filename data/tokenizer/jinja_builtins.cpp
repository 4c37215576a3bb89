#include "data/tokenizer/jinja_builtins.h"

#include <algorithm>

#include "data/tokenizer/jinja_ops.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

class Function final : public Callable {
 public:
  Function(std::string_view name, Builtin code, Value self)
      : name_(name), code_(code), self_(self) {}
  Value call(Runtime& runtime, Arguments& arguments) override {
    Call call{runtime, name_, self_, arguments};
    return code_(call);
  }

 private:
  std::string name_;
  Builtin code_;
  Value self_;
};

constexpr std::string_view kListChanges[] = {"append", "clear", "pop",    "reverse",
                                             "insert", "sort",  "extend", "remove"};
constexpr std::string_view kDictChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};
/// What Python's types have besides, so that it is refused rather than taken for a missing entry.
constexpr std::string_view kOtherText[] = {
    "casefold",    "encode",    "expandtabs", "format_map", "isidentifier",
    "isprintable", "maketrans", "translate",  "isdecimal",  "isnumeric"};
constexpr std::string_view kOtherNumber[] = {
    "real",       "imag",      "numerator", "denominator", "bit_length",
    "bit_count",  "conjugate", "to_bytes",  "from_bytes",  "as_integer_ratio",
    "is_integer", "hex",       "fromhex"};

template <class Names>
bool among(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool changes(const Value& value, std::string_view name) {
  if (is<Dict*>(value)) return among(kDictChanges, name);
  const auto* list = list_of(value);
  return list != nullptr && list->flavor == Flavor::List && among(kListChanges, name);
}

}  // namespace

void Call::fail(const std::string& message) const {
  runtime.fail(fmt::format("{}: {}", name, message));
}

std::vector<std::optional<Value>> Call::bound(std::initializer_list<const char*> parameters,
                                              std::size_t required) const {
  std::vector<std::optional<Value>> values(parameters.size());
  if (arguments.positional.size() > values.size())
    fail(fmt::format("takes at most {} arguments", values.size()));
  std::copy(arguments.positional.begin(), arguments.positional.end(), values.begin());
  for (const auto& [given, value] : arguments.named) {
    const auto found = std::find(parameters.begin(), parameters.end(), std::string_view(given));
    if (found == parameters.end()) fail(fmt::format("there is no argument '{}'", given));
    auto& slot = values[static_cast<std::size_t>(found - parameters.begin())];
    if (slot) fail(fmt::format("the argument '{}' is given twice", given));
    slot = value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (!values[i]) fail(fmt::format("the argument '{}' is missing", *(parameters.begin() + i)));
  return values;
}

std::int64_t Call::integer(const std::optional<Value>& value, std::int64_t absent) const {
  if (!value) return absent;
  refuse_undefined(runtime, *value);
  const auto whole = as_integer(*value);
  if (!whole) fail(fmt::format("wants a whole number, not '{}'", type_name(*value)));
  return *whole;
}

std::string Call::text(const std::optional<Value>& value, std::string_view absent) const {
  if (!value) return std::string(absent);
  if (!is_text(*value)) {
    refuse_undefined(runtime, *value);
    fail(fmt::format("wants a text, not '{}'", type_name(*value)));
  }
  return bytes_of(*value);
}

bool Call::flag(const std::optional<Value>& value, bool absent) const {
  return value ? truth(*value) : absent;
}

Value function(Runtime& runtime, std::string_view name, Builtin code, Value self) {
  runtime.charge_bytes(sizeof(Function));
  return static_cast<Callable*>(runtime.heap().make<Function>(name, code, self));
}

Builtin find_filter(std::string_view name) {
  for (const auto table : {text_filter, sequence_filter, selection_filter, number_filter})
    if (const auto found = table(name)) return found;
  return nullptr;
}

Value apply_filter(Runtime& runtime, std::string_view name, const Value& value,
                   Arguments& arguments) {
  const Level level(runtime);
  const auto code = find_filter(name);
  if (code == nullptr) runtime.fail(fmt::format("filter '{}' is not supported", name));
  Call call{runtime, name, value, arguments};
  return code(call);
}

bool apply_test(Runtime& runtime, std::string_view name, const Value& value, Arguments& arguments) {
  const auto code = find_test(name);
  if (code == nullptr) runtime.fail(fmt::format("test '{}' is not supported", name));
  Call call{runtime, name, value, arguments};
  return truth(code(call));
}

std::optional<Value> method(Runtime& runtime, const Value& value, std::string_view name) {
  if (changes(value, name))
    return runtime.undefined(fmt::format("'{}' of a {} is not allowed: templates change no values",
                                         name, type_name(value)));
  const auto code = is_text(value) ? text_method(name) : container_method(value, name);
  if (code != nullptr) return function(runtime, name, code, value);
  if ((is_text(value) && among(kOtherText, name)) ||
      (is_number(value) && among(kOtherNumber, name)))
    runtime.fail(fmt::format("'{}' of '{}' is not supported", name, type_name(value)));
  return std::nullopt;
}

}  // namespace aha::jinja
