#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "trainer/core/json.h"

namespace aha {

/// A part of a tokenizer.json, such as one pre-tokenizer, and the place it stands at. The getters
/// throw a UserError that names the place and the key.
class Component {
 public:
  /// `path` is the place within `file`: "normalizer.normalizers[1]".
  Component(const Json& json, std::string file, std::string path = "")
      : json_(&json), file_(std::move(file)), path_(std::move(path)) {}

  const Json& json() const { return *json_; }
  /// "FILE: PATH", for messages.
  std::string where() const { return path_.empty() ? file_ : file_ + ": " + path_; }
  bool is_null() const { return json_->is_null(); }

  /// `type`, which every component has.
  std::string type() const;
  /// The value of `key`; null when it is absent.
  Component member(const char* key) const;
  Component element(std::size_t index) const;
  /// Elements of the list `key`.
  std::size_t list_size(const char* key) const;

  std::string text(const char* key) const;
  std::string text(const char* key, std::string_view otherwise) const;
  bool flag(const char* key, bool otherwise) const;
  bool flag(const char* key) const;
  std::size_t count(const char* key) const;
  /// A text of one character.
  std::string character(const char* key) const;

  [[noreturn]] void refuse(std::string_view problem) const;
  /// For a type nobody knows: `kind` is "normalizer", `known` lists those there are.
  [[noreturn]] void refuse_type(std::string_view kind, std::string_view known) const;

 private:
  const Json* json_;
  std::string file_;
  std::string path_;
};

}  // namespace aha
