#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "data/tokenizer/jinja_value.h"

/// Filters, tests, methods and global functions.
namespace aha::jinja {

/// One call under way, and how its arguments are read.
struct Call {
  Runtime& runtime;
  std::string_view name;  ///< of what is called, for messages
  Value self;             ///< what is filtered, tested, or has the method
  Arguments& arguments;

  /// The arguments in the order of `parameters`, by place or by name; nothing where one is not
  /// given. UserError for one too many or unknown, and when fewer than `required` are given.
  std::vector<std::optional<Value>> bound(std::initializer_list<const char*> parameters,
                                          std::size_t required = 0) const;
  [[noreturn]] void fail(const std::string& message) const;
  /// A given argument as what it must be; `absent` when it is not given.
  std::int64_t integer(const std::optional<Value>& value, std::int64_t absent) const;
  std::string text(const std::optional<Value>& value, std::string_view absent) const;
  bool flag(const std::optional<Value>& value, bool absent) const;
};

using Builtin = Value (*)(Call& call);

/// Nothing when there is no such filter or test.
Builtin find_filter(std::string_view name);
Builtin find_test(std::string_view name);
/// UserError when there is none.
Value apply_filter(Runtime& runtime, std::string_view name, const Value& value,
                   Arguments& arguments);
bool apply_test(Runtime& runtime, std::string_view name, const Value& value, Arguments& arguments);

/// A bound method of a text, list or mapping; an undefined value for one that would change it;
/// nothing for a name that is none. UserError for one that Python has and we do not.
std::optional<Value> method(Runtime& runtime, const Value& value, std::string_view name);
/// range, dict, namespace, joiner, cycler, raise_exception, strftime_now; nothing otherwise.
/// `date` is the moment of strftime_now: "2024-07-26" or "2024-07-26T13:05:00".
std::optional<Value> global(Runtime& runtime, std::string_view name, const std::string& date);

/// A function made of code, with the value it belongs to.
Value function(Runtime& runtime, std::string_view name, Builtin code, Value self);

/// json.dumps(value, ensure_ascii=False, ...): its own arguments are read from the call.
Value to_json(Call& call);
/// What a pinned `date` looks like in strftime's `format`.
std::string formatted_date(Call& call, const std::string& date, std::string_view format);

/// One line of a table of filters, tests or methods.
struct NamedBuiltin {
  std::string_view name;
  Builtin code;
};

/// The entry of `value` at "a.b.0", as the filters' `attribute` says.
Value at_path(Runtime& runtime, const Value& value, const Value& path);
/// str.replace and str.center, ljust, rjust (`to`: ^ < >), refused when the result is too long.
Value replaced_text(Call& call, const std::string& text, const std::string& from,
                    const std::string& to, std::int64_t limit);
Value justified(Call& call, const std::string& text, std::int64_t width, char fill, char to);

/// The tables, one a file. nullptr when the name is not in it.
Builtin text_filter(std::string_view name);
Builtin sequence_filter(std::string_view name);
Builtin selection_filter(std::string_view name);
Builtin number_filter(std::string_view name);
Builtin text_method(std::string_view name);
Builtin container_method(const Value& value, std::string_view name);

template <class Table>
Builtin in_table(const Table& table, std::string_view name) {
  for (const auto& [known, code] : table)
    if (known == name) return code;
  return nullptr;
}

}  // namespace aha::jinja
