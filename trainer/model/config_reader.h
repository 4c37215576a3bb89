#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "trainer/core/json.h"
#include "trainer/model/problems.h"

namespace aha {

/// A value as a message shows it: its beginning when it is long.
inline std::string shown(const Json& value) {
  constexpr std::size_t kLimit = 80;
  auto text = dump_line(value);
  if (text.size() > kLimit) text = text.substr(0, kLimit) + "...";
  return text;
}

/// Typed reading of one JSON object; a null is the same as an absent key.
class ConfigReader {
 public:
  ConfigReader(const Json& object, ModelProblems& problems, std::string path = "")
      : object_(object), problems_(problems), path_(std::move(path)) {}

  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  bool has(const char* key) const { return find(key) != nullptr; }
  /// The key is there, be it with a null.
  bool mentions(const char* key) const { return object_.contains(key); }
  const Json& object() const { return object_; }

  void integer(const char* key, std::int64_t& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (is_integer(*value))
      out = value->get<std::int64_t>();
    else
      wrong(key, "an integer");
  }

  void needed(const char* key, std::int64_t& out) const {
    if (has(key))
      integer(key, out);
    else
      missing(key, "an integer");
  }

  void number(const char* key, double& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (value->is_number())
      out = value->get<double>();
    else
      wrong(key, "a number");
  }

  void boolean(const char* key, bool& out) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (value->is_boolean())
      out = value->get<bool>();
    else
      wrong(key, "true or false");
  }

  /// The key, when it is there, must hold exactly this.
  void only(const char* key, const Json& wanted) const {
    if (has(key) && *find(key) != wanted) wrong(key, shown(wanted));
  }

  void absent(const char* key, std::string_view why) const {
    if (has(key)) wrong(key, fmt::format("nothing: {}", why));
  }

  void missing(const char* key, std::string_view wanted) const {
    problems_.add("'{}{}' is missing, expected {}", path_, key, wanted);
  }

  void wrong(const char* key, std::string_view wanted) const {
    problems_.add("'{}{}' is {}, expected {}", path_, key, shown(*find(key)), wanted);
  }

  /// An entry whose key is the file's own word.
  void unknown(const std::string& key, const Json& value, std::string_view why) const {
    const auto quoted = shown(Json(key));
    problems_.add("'{}{}' is {}, expected nothing: {}", path_, quoted.substr(1, quoted.size() - 2),
                  shown(value), why);
  }

  static bool is_integer(const Json& value) {
    if (value.is_number_unsigned())
      return value.get<std::uint64_t>() <=
             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value.is_number_integer();
  }

 private:
  const Json& object_;
  ModelProblems& problems_;
  std::string path_;
};

}  // namespace aha
