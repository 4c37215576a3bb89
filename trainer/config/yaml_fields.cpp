#include "trainer/config/yaml_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::string_view kPlainNumber = "0123456789+-.eE";

/// The whole text as a number, or nothing.
template <class Number>
std::optional<Number> number_in(const std::string& text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  if (text.size() > 1 && *from == '+' && text[1] != '-') ++from;
  Number value{};
  const auto [at, error] = std::from_chars(from, end, value);
  if (error != std::errc{} || at != end || from == end) return std::nullopt;
  return value;
}

template <class Number>
std::optional<Number> plain_number(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::Scalar || node.quoted) return std::nullopt;
  if (node.text.find_first_not_of(kPlainNumber) != std::string::npos) return std::nullopt;
  return number_in<Number>(node.text);
}

bool in_range(const Key& key, double value) {
  return (key.high_open ? value < key.high : value <= key.high) &&
         (key.low_open ? value > key.low : value >= key.low);
}

bool parse(const YamlNode& node, bool& value) {
  if (node.kind != YamlNode::Kind::Scalar || node.quoted) return false;
  const bool yes = node.text == "true" || node.text == "True";
  if (!yes && node.text != "false" && node.text != "False") return false;
  value = yes;
  return true;
}

template <class Number>
bool parse_number(const YamlNode& node, Number& value) {
  const auto number = plain_number<Number>(node);
  if (number) value = *number;
  return number.has_value();
}
bool parse(const YamlNode& node, std::int64_t& value) {
  return parse_number(node, value);
}
bool parse(const YamlNode& node, std::uint64_t& value) {
  return parse_number(node, value);
}
bool parse(const YamlNode& node, double& value) {
  return parse_number(node, value);
}

bool parse(const YamlNode& node, std::string& value) {
  if (node.kind != YamlNode::Kind::Scalar) return false;
  value = node.text;
  return true;
}

bool parse(const YamlNode& node, std::optional<double>& value) {
  if (node.kind == YamlNode::Kind::Null) {
    value.reset();
    return true;
  }
  double number = 0;
  if (!parse(node, number)) return false;
  value = number;
  return true;
}

template <class Item>
bool parse(const YamlNode& node, std::vector<Item>& value) {
  if (node.kind != YamlNode::Kind::List) return false;
  std::vector<Item> items(node.items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!parse(node.items[i], items[i])) return false;
  value = std::move(items);
  return true;
}

/// A value as its YAML says what it is.
OrderedJson json_of(const YamlNode& node) {
  OrderedJson json;
  switch (node.kind) {
    case YamlNode::Kind::Null:
      break;
    case YamlNode::Kind::List:
      json = OrderedJson::array();
      for (const auto& item : node.items)
        json.push_back(json_of(item));
      break;
    case YamlNode::Kind::Map:
      json = OrderedJson::object();
      for (const auto& entry : node.entries)
        json[entry.key.text] = json_of(entry.value);
      break;
    case YamlNode::Kind::Scalar:
      json = node.text;
      if (bool truth = false; parse(node, truth))
        json = truth;
      else if (std::int64_t whole = 0; parse(node, whole))
        json = whole;
      else if (double number = 0; parse(node, number))
        json = number;
  }
  return json;
}

/// Whole, as a list: a later layer has to be able to take a value away.
bool parse(const YamlNode& node, OrderedJson& value) {
  if (node.kind != YamlNode::Kind::Map) return false;
  value = json_of(node);
  return true;
}

bool allowed(const Key&, bool) {
  return true;
}
bool allowed(const Key&, const OrderedJson&) {
  return true;
}
bool allowed(const Key& key, std::int64_t value) {
  return in_range(key, static_cast<double>(value));
}
bool allowed(const Key& key, std::uint64_t value) {
  return in_range(key, static_cast<double>(value));
}
bool allowed(const Key& key, double value) {
  return std::isfinite(value) && in_range(key, value);
}
bool allowed(const Key& key, const std::optional<double>& value) {
  return !value || allowed(key, *value);
}
bool allowed(const Key& key, const std::string& value) {
  return key.allowed.empty() ||
         std::find(key.allowed.begin(), key.allowed.end(), value) != key.allowed.end();
}
template <class Item>
bool allowed(const Key& key, const std::vector<Item>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](const Item& value) { return allowed(key, value); });
}

std::string type_name(bool) {
  return "true or false";
}
std::string type_name(std::int64_t) {
  return "a whole number";
}
std::string type_name(std::uint64_t) {
  return "a whole number";
}
std::string type_name(double) {
  return "a number";
}
std::string type_name(const std::string&) {
  return "a text";
}
std::string type_name(const std::optional<double>&) {
  return "a number or null";
}
std::string type_name(const std::vector<std::string>&) {
  return "a list of texts, as in [a, b]";
}
std::string type_name(const std::vector<std::int64_t>&) {
  return "a list of whole numbers, as in [1, 2]";
}

std::string type_name(const OrderedJson&) {
  return "a map of values, as in {name: value}";
}

std::string bound_text(double bound) {
  // 2^64 - 1 is no double
  if (bound > 1e19) return "18446744073709551615";
  return fmt::format("{}", bound);
}

std::string to_yaml(bool value) {
  return value ? "true" : "false";
}
std::string to_yaml(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string to_yaml(std::uint64_t value) {
  return fmt::format("{}", value);
}
std::string to_yaml(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  return fmt::format("{}", value);
}
std::string to_yaml(const std::string& value) {
  return text_yaml(value);
}
std::string to_yaml(const std::optional<double>& value) {
  return value ? to_yaml(*value) : "null";
}
template <class Item>
std::string to_yaml(const std::vector<Item>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i == 0 ? "" : ", ") + to_yaml(values[i]);
  return text + "]";
}

std::string to_yaml(const OrderedJson& value);

/// "[a, b]" or "{k: v}" of the parts of a list or map.
std::string flow_yaml(const OrderedJson& value) {
  const bool map = value.is_object();
  std::string text;
  for (const auto& [name, item] : value.items()) {
    if (!text.empty()) text += ", ";
    if (map) text += text_yaml(name) + ": ";
    text += to_yaml(item);
  }
  return (map ? "{" : "[") + text + (map ? "}" : "]");
}

std::string to_yaml(const OrderedJson& value) {
  if (value.is_structured()) return flow_yaml(value);
  if (value.is_string()) return text_yaml(value.get_ref<const std::string&>());
  return dump_line(value);  // 2.0 keeps its point: a template prints it
}

bool is_plain(const std::string& text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/';
  };
  if (text.empty() || !(letter(text[0]) || text[0] == '/')) return false;
  if (!std::all_of(text.begin(), text.end(), inner)) return false;
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  // words that some YAML reader takes for something else
  for (const char* word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
    if (lower == word) return false;
  return true;
}

}  // namespace

std::optional<std::string> read_leaf(const Key& key, const YamlNode& value, Leaf leaf) {
  return std::visit(
      [&](auto* member) -> std::optional<std::string> {
        auto read = *member;
        if (parse(value, read) && allowed(key, read)) {
          *member = std::move(read);
          return std::nullopt;
        }
        std::string text =
            key.allowed.empty()
                ? fmt::format("expected {}{}, not {}", leaf_type(leaf), allowed_text(key),
                              value.what())
                : fmt::format("expected one of {}, not {}", join_list(key.allowed), value.what());
        const auto near =
            value.kind == YamlNode::Kind::Scalar ? nearest(value.text, key.allowed) : "";
        if (!near.empty()) text += fmt::format("; the nearest is '{}'", near);
        return text;
      },
      leaf);
}

std::string leaf_yaml(Leaf leaf) {
  return std::visit([](const auto* member) { return to_yaml(*member); }, leaf);
}

std::string text_yaml(const std::string& text) {
  if (is_plain(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += std::string("\\") + c;
    else if (c == '\n')
      quoted += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string leaf_type(Leaf leaf) {
  return std::visit([](const auto* member) { return type_name(*member); }, leaf);
}

std::string allowed_text(const Key& key) {
  if (!key.allowed.empty()) return " among " + join_list(key.allowed);
  std::string text;
  if (std::isfinite(key.low))
    text += fmt::format(" {} {}", key.low_open ? "above" : "from", bound_text(key.low));
  if (std::isfinite(key.high))
    text += fmt::format(" {} {}", key.high_open ? "to below" : "to", bound_text(key.high));
  return text;
}

}  // namespace aha
