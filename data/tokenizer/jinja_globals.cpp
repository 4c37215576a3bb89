#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

const Dict& self_dict(Call& call) {
  return *std::get<Dict*>(call.self);
}

Value get(Call& call) {
  const auto given = call.bound({"key", "default"}, 1);
  const auto* found = find(call.runtime, self_dict(call), *given[0]);
  return found != nullptr ? *found : given[1].value_or(None{});
}

Value view(Call& call, Flavor flavor) {
  call.bound({});
  std::vector<Value> items;
  for (const auto& [key, value] : self_dict(call).entries) {
    if (flavor == Flavor::Keys) items.push_back(key);
    if (flavor == Flavor::Values) items.push_back(value);
    if (flavor == Flavor::Items) items.push_back(call.runtime.list({key, value}, Flavor::Tuple));
  }
  return call.runtime.list(std::move(items), flavor);
}

Value items(Call& call) {
  return view(call, Flavor::Items);
}
Value keys(Call& call) {
  return view(call, Flavor::Keys);
}
Value values(Call& call) {
  return view(call, Flavor::Values);
}

Value copied_dict(Call& call) {
  auto* dict = call.runtime.dict();
  call.runtime.charge(self_dict(call).entries.size());
  dict->entries = self_dict(call).entries;
  return dict;
}

Value copied_list(Call& call) {
  return call.runtime.list(list_of(call.self)->items);
}

Value count(Call& call) {
  const auto given = call.bound({"value"}, 1);
  std::int64_t found = 0;
  for (const auto& item : list_of(call.self)->items)
    if (equal(call.runtime, item, *given[0])) ++found;
  return found;
}

Value index(Call& call) {
  const auto given = call.bound({"value"}, 1);
  const auto& items = list_of(call.self)->items;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (equal(call.runtime, items[i], *given[0])) return static_cast<std::int64_t>(i);
  call.fail("the value is not in the list");
}

constexpr NamedBuiltin kDictMethods[] = {
    {"get", get}, {"items", items}, {"keys", keys}, {"values", values}, {"copy", copied_dict}};
constexpr NamedBuiltin kListMethods[] = {{"count", count}, {"index", index}, {"copy", copied_list}};

Value range(Call& call) {
  constexpr std::int64_t kMost = 100000;  // Jinja's sandbox: MAX_RANGE
  const auto given = call.bound({"start", "stop", "step"}, 1);
  const auto first = call.integer(given[0], 0);
  const auto start = given[1] ? first : 0;
  const auto stop = given[1] ? call.integer(given[1], 0) : first;
  const auto step = call.integer(given[2], 1);
  if (step == 0) call.fail("the step is 0");
  std::vector<Value> numbers;
  for (auto at = start; step > 0 ? at < stop : at > stop;) {
    if (std::ssize(numbers) >= kMost) call.fail(fmt::format("more than {} numbers", kMost));
    numbers.push_back(at);
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return call.runtime.list(std::move(numbers), Flavor::Range);
}

/// The entries of dict(...) and namespace(...): those of one mapping or of pairs, then the named.
Dict* entries(Call& call) {
  auto* dict = call.runtime.dict();
  if (call.arguments.positional.size() > 1) call.fail("takes at most one value by place");
  for (const auto& from : call.arguments.positional) {
    if (is<Dict*>(from)) {
      dict->entries = std::get<Dict*>(from)->entries;
      continue;
    }
    for (const auto& pair : elements(call.runtime, from)) {
      const auto both = elements(call.runtime, pair);
      if (both.size() != 2) call.fail("wants pairs");
      insert(call.runtime, *dict, both[0], both[1]);
    }
  }
  for (const auto& [name, value] : call.arguments.named)
    insert(call.runtime, *dict, call.runtime.text(name), value);
  return dict;
}

Value make_dict(Call& call) {
  return entries(call);
}

Value make_namespace(Call& call) {
  auto* space = call.runtime.heap().make<Namespace>();
  for (const auto& [key, value] : entries(call)->entries) {
    const auto name = to_text(call.runtime, key);
    if (name.starts_with("_")) call.fail("an attribute begins with '_'");
    space->attributes.emplace_back(name, value);
  }
  return space;
}

/// joiner(sep): nothing at the first call, `sep` then.
class Joiner final : public Callable {
 public:
  explicit Joiner(Value separator) : separator_(separator) {}
  Value call(Runtime& runtime, Arguments&) override {
    if (std::exchange(used_, true)) return separator_;
    return runtime.text("");
  }

 private:
  Value separator_;
  bool used_ = false;
};

/// cycler(a, b, ...): next(), reset(), current.
class Cycler final : public Callable {
 public:
  explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
  Value call(Runtime& runtime, Arguments&) override { runtime.fail("a cycler cannot be called"); }
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override {
    if (name == "current") return items_[at_ % items_.size()];
    const auto self = static_cast<Callable*>(this);
    if (name == "next") return function(runtime, "next", next, self);
    if (name == "reset") return function(runtime, "reset", reset, self);
    return std::nullopt;
  }

 private:
  static Cycler& of(const Call& call) {
    return static_cast<Cycler&>(*std::get<Callable*>(call.self));
  }
  static Value next(Call& call) {
    auto& self = of(call);
    return self.items_[self.at_++ % self.items_.size()];
  }
  static Value reset(Call& call) {
    of(call).at_ = 0;
    return None{};
  }
  std::vector<Value> items_;
  std::size_t at_ = 0;
};

Value make_joiner(Call& call) {
  const auto given = call.bound({"sep"});
  const auto separator = given[0] ? *given[0] : call.runtime.text(", ");
  return static_cast<Callable*>(call.runtime.heap().make<Joiner>(separator));
}

Value make_cycler(Call& call) {
  if (call.arguments.positional.empty()) call.fail("wants at least one item");
  return static_cast<Callable*>(call.runtime.heap().make<Cycler>(call.arguments.positional));
}

Value raise_exception(Call& call) {
  const auto given = call.bound({"message"}, 1);
  call.runtime.fail("the template refuses: " + to_text(call.runtime, *given[0]));
}

Value strftime_now(Call& call) {
  const auto given = call.bound({"format"}, 1);
  return call.runtime.text(formatted_date(call, bytes_of(call.self), call.text(given[0], "")));
}

constexpr NamedBuiltin kGlobals[] = {
    {"range", range},        {"dict", make_dict},     {"namespace", make_namespace},
    {"joiner", make_joiner}, {"cycler", make_cycler}, {"raise_exception", raise_exception},
};

}  // namespace

Builtin container_method(const Value& value, std::string_view name) {
  if (is<Dict*>(value)) return in_table(kDictMethods, name);
  return is_sequence(value) ? in_table(kListMethods, name) : nullptr;
}

std::optional<Value> global(Runtime& runtime, std::string_view name, const std::string& date) {
  if (name == "strftime_now") return function(runtime, name, strftime_now, runtime.text(date));
  if (name == "lipsum") runtime.fail("function 'lipsum' is not supported");
  const auto code = in_table(kGlobals, name);
  if (code == nullptr) return std::nullopt;
  return function(runtime, name, code, None{});
}

}  // namespace aha::jinja
