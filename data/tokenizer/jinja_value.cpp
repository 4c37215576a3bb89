#include "data/tokenizer/jinja_value.h"

#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {

void Runtime::fail(const std::string& message) const {
  throw UserError(fmt::format("{}: line {}: {}", where_, line, message));
}

void Runtime::charge(std::size_t steps) {
  steps_ += static_cast<std::int64_t>(steps);
  if (steps_ > limits_.steps)
    fail(fmt::format("the template takes more than {} steps", limits_.steps));
}

void Runtime::charge_bytes(std::size_t bytes) {
  charge(1 + bytes / 1024);
  bytes_ += bytes;
  if (bytes_ > limits_.memory)
    fail(fmt::format("the template makes more than {} bytes of values", limits_.memory));
}

Value Runtime::text(std::string bytes, bool markup) {
  if (bytes.size() > limits_.output)
    fail(fmt::format("the template makes a text of more than {} bytes", limits_.output));
  charge_bytes(bytes.size() + sizeof(Text));
  return static_cast<const Text*>(heap_.make<Text>(std::move(bytes), markup));
}

Value Runtime::list(std::vector<Value> items, Flavor flavor) {
  charge(items.size());
  charge_bytes(items.size() * sizeof(Value) + sizeof(List));
  auto* list = heap_.make<List>();
  list->flavor = flavor;
  list->items = std::move(items);
  return list;
}

Value Runtime::undefined(std::string why) {
  return Undefined{std::get<const Text*>(text(std::move(why)))};
}

Dict* Runtime::dict() {
  charge_bytes(sizeof(Dict));
  return heap_.make<Dict>();
}

Value Runtime::from_json(const OrderedJson& json) {
  switch (json.type()) {
    case OrderedJson::value_t::null:
      return None{};
    case OrderedJson::value_t::boolean:
      return json.get<bool>();
    case OrderedJson::value_t::number_integer:
      return json.get<std::int64_t>();
    case OrderedJson::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > INT64_MAX) fail("a whole number beyond 64 bits");
      return json.get<std::int64_t>();
    case OrderedJson::value_t::number_float:
      return json.get<double>();
    case OrderedJson::value_t::string:
      return text(json.get_ref<const std::string&>());
    case OrderedJson::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json)
        items.push_back(from_json(item));
      return list(std::move(items));
    }
    case OrderedJson::value_t::object: {
      auto* object = dict();
      for (const auto& [key, value] : json.items())
        object->entries.emplace_back(text(key), from_json(value));
      return object;
    }
    default:
      fail("a value that JSON does not have");
  }
}

List* list_of(const Value& value) {
  return is<List*>(value) ? std::get<List*>(value) : nullptr;
}

bool is_sequence(const Value& value) {
  const auto* list = list_of(value);
  return list != nullptr && (list->flavor == Flavor::List || list->flavor == Flavor::Tuple ||
                             list->flavor == Flavor::Range);
}

bool is_number(const Value& value) {
  return is<bool>(value) || is<std::int64_t>(value) || is<double>(value);
}

std::string type_name(const Value& value) {
  if (const auto* list = list_of(value)) {
    constexpr const char* kNames[] = {"list",      "tuple",       "range",     "generator",
                                      "dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<std::size_t>(list->flavor)];
  }
  constexpr const char* kNames[] = {"Undefined", "NoneType", "bool", "int",       "float",
                                    "str",       "list",     "dict", "Namespace", "function"};
  return kNames[value.index()];
}

std::optional<std::int64_t> as_integer(const Value& value) {
  if (is<bool>(value)) return std::get<bool>(value) ? 1 : 0;
  if (is<std::int64_t>(value)) return std::get<std::int64_t>(value);
  return std::nullopt;
}

std::optional<double> as_float(const Value& value) {
  if (is<double>(value)) return std::get<double>(value);
  if (const auto whole = as_integer(value)) return static_cast<double>(*whole);
  return std::nullopt;
}

bool truth(const Value& value) {
  if (const auto number = as_float(value)) return *number != 0;
  if (is_text(value)) return !bytes_of(value).empty();
  if (const auto* list = list_of(value))
    return list->flavor == Flavor::Generator || !list->items.empty();
  if (is<Dict*>(value)) return !std::get<Dict*>(value)->entries.empty();
  return is<Namespace*>(value) || is<Callable*>(value);
}

std::vector<Value> elements(Runtime& runtime, const Value& value) {
  if (is<Undefined>(value)) return {};
  std::vector<Value> items;
  if (auto* list = list_of(value)) {
    runtime.charge(list->items.size());
    if (list->flavor != Flavor::Generator) return list->items;
    items.swap(list->items);
  } else if (is<Dict*>(value)) {
    const auto& entries = std::get<Dict*>(value)->entries;
    runtime.charge(entries.size());
    for (const auto& [key, unused] : entries)
      items.push_back(key);
  } else if (is_text(value)) {
    runtime.charge_bytes(bytes_of(value).size() * sizeof(std::string_view));
    for (const auto character : characters(bytes_of(value)))
      items.push_back(runtime.text(std::string(character)));
  } else {
    runtime.fail(fmt::format("'{}' object is not iterable", type_name(value)));
  }
  return items;
}

std::optional<std::int64_t> length(Runtime& runtime, const Value& value) {
  if (is<Undefined>(value)) return 0;
  if (is_text(value)) {
    runtime.charge(bytes_of(value).size() / 64);
    return static_cast<std::int64_t>(character_count(bytes_of(value)));
  }
  if (is<Dict*>(value)) return std::ssize(std::get<Dict*>(value)->entries);
  const auto* list = list_of(value);
  if (list == nullptr || list->flavor == Flavor::Generator) return std::nullopt;
  return std::ssize(list->items);
}

const Value* find(Runtime& runtime, const Dict& dict, const Value& key) {
  if (is<Dict*>(key) || (is<List*>(key) && list_of(key)->flavor != Flavor::Tuple))
    runtime.fail(fmt::format("unhashable type: '{}'", type_name(key)));
  runtime.charge(1 + dict.entries.size() / 8);
  for (const auto& [name, value] : dict.entries)
    if (equal(runtime, name, key)) return &value;
  return nullptr;
}

void insert(Runtime& runtime, Dict& dict, const Value& key, const Value& value) {
  if (const auto* found = find(runtime, dict, key)) {
    *const_cast<Value*>(found) = value;
    return;
  }
  runtime.charge_bytes(2 * sizeof(Value));
  dict.entries.emplace_back(key, value);
}

}  // namespace aha::jinja
