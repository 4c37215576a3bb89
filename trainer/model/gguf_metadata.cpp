#include <array>
#include <charconv>
#include <limits>

#include "trainer/core/error.h"
#include "trainer/core/json.h"
#include "trainer/model/gguf.h"
#include "trainer/model/gguf_cursor.h"

namespace aha {
namespace {

constexpr int kMaxDepth = 8;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 24;  // tokens of a vocabulary, at most

struct TypeInfo {
  const char* name;
  std::size_t bytes;  ///< 0: of no fixed width
};

constexpr std::array kTypes = {
    TypeInfo{"u8", 1},   TypeInfo{"i8", 1},    TypeInfo{"u16", 2}, TypeInfo{"i16", 2},
    TypeInfo{"u32", 4},  TypeInfo{"i32", 4},   TypeInfo{"f32", 4}, TypeInfo{"bool", 1},
    TypeInfo{"text", 0}, TypeInfo{"array", 0}, TypeInfo{"u64", 8}, TypeInfo{"i64", 8},
    TypeInfo{"f64", 8},
};

const TypeInfo& info(GgufType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

template <class Number>
Number stored(std::string_view bytes) {
  Number value;
  std::memcpy(&value, bytes.data(), sizeof(Number));
  return value;
}

/// The double that is written with the fewest digits among those that round to `value`.
double shortest(float value) {
  std::array<char, 32> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double out = value;
  std::from_chars(text.data(), written.ptr, out);
  return out;
}

/// Nothing when it is no whole number, or beyond 63 bits.
std::optional<std::int64_t> whole(const GgufValue& value) {
  switch (value.type) {
    case GgufType::U8:
      return stored<std::uint8_t>(value.bytes);
    case GgufType::I8:
      return stored<std::int8_t>(value.bytes);
    case GgufType::U16:
      return stored<std::uint16_t>(value.bytes);
    case GgufType::I16:
      return stored<std::int16_t>(value.bytes);
    case GgufType::U32:
      return stored<std::uint32_t>(value.bytes);
    case GgufType::I32:
      return stored<std::int32_t>(value.bytes);
    case GgufType::I64:
      return stored<std::int64_t>(value.bytes);
    case GgufType::U64: {
      const auto number = stored<std::uint64_t>(value.bytes);
      if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return std::nullopt;
      return static_cast<std::int64_t>(number);
    }
    default:
      return std::nullopt;
  }
}

GgufType element_type(const GgufValue& array) {
  return static_cast<GgufType>(stored<std::uint32_t>(array.bytes));
}

}  // namespace

GgufType GgufCursor::type(const std::string& what) {
  const auto number_of_type = number<std::uint32_t>(what);
  if (number_of_type >= kTypes.size())
    fail("{}: {} has type {}, expected 0 to {}", where_, what, number_of_type, kTypes.size() - 1);
  return static_cast<GgufType>(number_of_type);
}

void GgufCursor::pass(GgufType type, const std::string& what, int depth) {
  if (type == GgufType::Array) return pass_array(what, depth);
  if (type == GgufType::Text) return static_cast<void>(text(what));
  const auto bytes = take(info(type).bytes, what);
  if (type == GgufType::Bool && static_cast<unsigned char>(bytes[0]) > 1)
    fail("{}: {} is a bool of value {}, expected 0 or 1", where_, what,
         static_cast<unsigned char>(bytes[0]));
}

void GgufCursor::pass_array(const std::string& what, int depth) {
  if (depth == kMaxDepth)
    fail("{}: {} holds arrays nested deeper than {} levels", where_, what, kMaxDepth);
  const auto element = type(what);
  const auto count = number<std::uint64_t>(what);
  if (const auto width = info(element).bytes; width > 0 && element != GgufType::Bool) {
    if (count > bytes_.size())  // then the product might overflow
      fail("{}: cut off: {} has {} elements, more than the file has bytes", where_, what, count);
    take(count * width, what);
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i)
    pass(element, what, depth + 1);
}

GgufValue GgufCursor::value(GgufType type, const std::string& what) {
  const auto begin = at_;
  pass(type, what, 0);
  return {type, bytes_.substr(begin, at_ - begin)};
}

std::string gguf_shown(std::string_view text) {
  constexpr std::size_t kLimit = 100;
  auto line = dump_line(Json(text.substr(0, kLimit)));
  if (text.size() > kLimit) line += "...";
  return line;
}

std::string gguf_type_name(const GgufValue& value) {
  if (value.type != GgufType::Array) return info(value.type).name;
  return std::string("array of ") + info(element_type(value)).name;
}

std::vector<GgufValue> gguf_elements(const GgufValue& array) {
  check(array.type == GgufType::Array, "only an array has elements");
  GgufCursor cursor(array.bytes, "array");
  const auto type = cursor.type("array");
  const auto count = cursor.number<std::uint64_t>("array");
  if (count > kMaxElements)
    fail("an array has {} elements, expected at most {}", count, kMaxElements);
  std::vector<GgufValue> elements;
  elements.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i)
    elements.push_back(cursor.value(type, "element"));
  return elements;
}

const GgufValue* GgufFile::value(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

void GgufFile::wrong(std::string_view key, const GgufValue& value, std::string_view wanted) const {
  fail("{}: {} is of type {}, expected {}", path_.string(), gguf_shown(key), gguf_type_name(value),
       wanted);
}

std::optional<std::int64_t> GgufFile::integer(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  const auto number = whole(*found);
  if (!number) wrong(key, *found, "a whole number below 2^63");
  return number;
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->type == GgufType::F32) return shortest(stored<float>(found->bytes));
  if (found->type == GgufType::F64) return stored<double>(found->bytes);
  wrong(key, *found, "f32 or f64");
}

std::optional<bool> GgufFile::boolean(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->type != GgufType::Bool) wrong(key, *found, "bool");
  return found->bytes[0] != 0;
}

std::optional<std::string_view> GgufFile::text(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->type != GgufType::Text) wrong(key, *found, "text");
  return found->bytes.substr(sizeof(std::uint64_t));
}

std::optional<std::vector<std::string_view>> GgufFile::texts(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->type != GgufType::Array || element_type(*found) != GgufType::Text)
    wrong(key, *found, "array of text");
  std::vector<std::string_view> texts;
  for (const auto& element : gguf_elements(*found))
    texts.push_back(element.bytes.substr(sizeof(std::uint64_t)));
  return texts;
}

std::optional<std::vector<std::int64_t>> GgufFile::integers(std::string_view key) const {
  const auto* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (found->type != GgufType::Array) wrong(key, *found, "array of whole numbers");
  std::vector<std::int64_t> numbers;
  for (const auto& element : gguf_elements(*found)) {
    const auto number = whole(element);
    if (!number) wrong(key, *found, "array of whole numbers");
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace aha
