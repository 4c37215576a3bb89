#include "data/tokenizer/component.h"

#include "data/tokenizer/tokenizer_files.h"
#include "data/tokenizer/unicode.h"
#include "trainer/core/error.h"

namespace aha {

void Component::refuse(std::string_view problem) const {
  fail("{}: {}", where(), problem);
}

void Component::refuse_type(std::string_view kind, std::string_view known) const {
  fail("{}: {} '{}' is not supported, expected {}", where(), kind, type(), known);
}

Component Component::member(const char* key) const {
  static const Json null;
  if (!json_->is_object()) fail("{}: expected an object, found {}", where(), brief(*json_));
  const auto found = json_->find(key);
  return {found == json_->end() ? null : *found, file_, path_.empty() ? key : path_ + "." + key};
}

Component Component::element(std::size_t index) const {
  return {(*json_)[index], file_, fmt::format("{}[{}]", path_, index)};
}

std::string Component::type() const {
  return text("type");
}

std::size_t Component::list_size(const char* key) const {
  const auto list = member(key);
  if (!list.json().is_array())
    fail("{}: expected a list, found {}", list.where(), brief(list.json()));
  return list.json().size();
}

std::string Component::text(const char* key) const {
  const auto value = member(key);
  if (!value.json().is_string())
    fail("{}: expected a text, found {}", value.where(), brief(value.json()));
  return value.json().get<std::string>();
}

std::string Component::text(const char* key, std::string_view otherwise) const {
  return member(key).is_null() ? std::string(otherwise) : text(key);
}

bool Component::flag(const char* key) const {
  const auto value = member(key);
  if (!value.json().is_boolean())
    fail("{}: expected true or false, found {}", value.where(), brief(value.json()));
  return value.json().get<bool>();
}

bool Component::flag(const char* key, bool otherwise) const {
  return member(key).is_null() ? otherwise : flag(key);
}

std::size_t Component::count(const char* key) const {
  const auto value = member(key);
  if (!value.json().is_number_unsigned())
    fail("{}: expected a whole number, found {}", value.where(), brief(value.json()));
  return value.json().get<std::size_t>();
}

std::string Component::character(const char* key) const {
  auto value = text(key);
  if (value.empty() || character_at(value, 0).size != value.size())
    fail("{}: expected one character, found '{}'", member(key).where(), value);
  return value;
}

}  // namespace aha
