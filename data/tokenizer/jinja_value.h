#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trainer/core/json.h"

/// A template's values, with the meaning that they have in Python.
namespace aha::jinja {

class Runtime;
struct Text;
struct List;
struct Dict;
struct Namespace;
class Callable;

struct None {};
/// A name or attribute that is not there: prints as nothing, is false and empty, fails otherwise.
struct Undefined {
  const Text* why = nullptr;  ///< what to say when it is used; null: a general word
};

/// Small and copied freely; what it points to belongs to a Heap. Whole numbers are 64 bit: what
/// leaves them is refused, since Python's have no end.
using Value = std::variant<Undefined, None, bool, std::int64_t, double, const Text*, List*, Dict*,
                           Namespace*, Callable*>;

/// What a heap owns.
struct Object {
  Object() = default;
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
};

struct Text : Object {
  explicit Text(std::string b, bool m = false) : bytes(std::move(b)), markup(m) {}
  std::string bytes;    ///< UTF-8
  bool markup = false;  ///< made by `escape` or `safe`: what is added to it is escaped
};

/// Everything that Python iterates like a list; the flavor says what else holds for it.
enum class Flavor { List, Tuple, Range, Generator, Keys, Values, Items };

struct List : Object {
  Flavor flavor = Flavor::List;
  std::vector<Value> items;  ///< a generator's are gone once it was iterated
};

/// Entries in the order of insertion, keys distinct by Python's ==.
struct Dict : Object {
  std::vector<std::pair<Value, Value>> entries;
};

struct Namespace : Object {
  std::vector<std::pair<std::string, Value>> attributes;
};

/// The arguments of a call, a filter or a test.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Something that can be called: a macro, a method, a function, `loop`.
class Callable : public Object {
 public:
  virtual Value call(Runtime& runtime, Arguments& arguments) = 0;
  virtual std::optional<Value> attribute(Runtime&, std::string_view) { return std::nullopt; }
  /// How it prints; empty: not, since Python would print an address.
  virtual std::string description() const { return {}; }
};

/// Owns the values of one rendering, or the constants of one template.
class Heap {
 public:
  template <class T, class... Args>
  T* make(Args&&... args) {
    auto object = std::make_unique<T>(std::forward<Args>(args)...);
    auto* raw = object.get();
    objects_.push_back(std::move(object));
    return raw;
  }

 private:
  std::vector<std::unique_ptr<Object>> objects_;
};

/// What a rendering may use; a template that wants more ends in a UserError.
struct Limits {
  std::int64_t steps = 5'000'000;   ///< nodes evaluated, elements and kilobytes handled
  std::size_t output = 64u << 20;   ///< bytes rendered, and of any one text
  std::size_t memory = 512u << 20;  ///< bytes of all texts and lists made
  int depth = 1500;                 ///< nodes inside nodes, macros inside macros
  int value_depth = 200;            ///< lists inside lists where they are printed or compared
};

/// The state that every operation shares: memory, limits, and the line under way.
class Runtime {
 public:
  Runtime(std::string where, Limits limits) : where_(std::move(where)), limits_(limits) {}

  /// UserError "WHERE: line N: MESSAGE".
  [[noreturn]] void fail(const std::string& message) const;
  /// Counts work; UserError at the limit.
  void charge(std::size_t steps);
  void charge_bytes(std::size_t bytes);

  Value text(std::string bytes, bool markup = false);
  Value list(std::vector<Value> items, Flavor flavor = Flavor::List);
  Value undefined(std::string why);
  Dict* dict();
  /// JSON to values; the order of keys is kept.
  Value from_json(const OrderedJson& json);

  Heap& heap() { return heap_; }
  const Limits& limits() const { return limits_; }

  int line = 1;
  int depth = 0;

 private:
  std::string where_;
  Limits limits_;
  Heap heap_;
  std::int64_t steps_ = 0;
  std::size_t bytes_ = 0;
};

/// Counts one level of recursion while it lives; UserError beyond the limit.
class Level {
 public:
  explicit Level(Runtime& runtime) : runtime_(runtime) {
    if (++runtime_.depth > runtime_.limits().depth) {
      --runtime_.depth;
      runtime_.fail("nested too deeply: a macro that calls itself, or a very long expression");
    }
  }
  ~Level() { --runtime_.depth; }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  Runtime& runtime_;
};

template <class T>
bool is(const Value& value) {
  return std::holds_alternative<T>(value);
}
inline bool is_text(const Value& value) {
  return is<const Text*>(value);
}
inline const std::string& bytes_of(const Value& value) {
  return std::get<const Text*>(value)->bytes;
}
/// The list, when it is one of these flavors; null otherwise.
List* list_of(const Value& value);
bool is_sequence(const Value& value);  ///< list, tuple or range
bool is_number(const Value& value);    ///< bool, int or float
/// Python's name of the type: "str", "list", ...
std::string type_name(const Value& value);
/// A whole number or truth value as one; nothing for other types.
std::optional<std::int64_t> as_integer(const Value& value);
/// A number of any type as a float; nothing for other types.
std::optional<double> as_float(const Value& value);

/// Python's bool(value).
bool truth(const Value& value);
/// Python's str(value) and repr(value).
std::string to_text(Runtime& runtime, const Value& value);
std::string repr(Runtime& runtime, const Value& value, int depth = 0);
std::string float_repr(double value);
std::string text_repr(std::string_view text);
/// Python's iter(value): the elements, characters or keys. UserError when it has none.
std::vector<Value> elements(Runtime& runtime, const Value& value);
/// Python's len(value); nothing when the type has no length.
std::optional<std::int64_t> length(Runtime& runtime, const Value& value);

const Value* find(Runtime& runtime, const Dict& dict, const Value& key);
void insert(Runtime& runtime, Dict& dict, const Value& key, const Value& value);

}  // namespace aha::jinja
