#include "rewards/row_fields.h"

#include <limits>

namespace aha {
namespace {

const Json* field_of(const Json& row, std::string_view name) {
  if (!row.is_object()) return nullptr;
  const auto found = row.find(name);
  return found == row.end() ? nullptr : &*found;
}

std::optional<std::int64_t> whole(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost) return std::nullopt;
  return value.get<std::int64_t>();
}

}  // namespace

std::optional<std::int64_t> whole_field(const Json& row, std::string_view name) {
  const auto* value = field_of(row, name);
  return value == nullptr ? std::nullopt : whole(*value);
}

std::optional<std::vector<std::int64_t>> whole_list_field(const Json& row, std::string_view name) {
  const auto* value = field_of(row, name);
  if (value == nullptr || !value->is_array()) return std::nullopt;
  std::vector<std::int64_t> numbers;
  numbers.reserve(value->size());
  for (const auto& item : *value) {
    const auto number = whole(item);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<std::string> text_field(const Json& row, std::string_view name) {
  const auto* value = field_of(row, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number()) return dump_line(*value);
  return std::nullopt;
}

}  // namespace aha
