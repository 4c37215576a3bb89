#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_number.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

std::vector<Value> items_of(Call& call) {
  return elements(call.runtime, call.self);
}

/// What `map` and the filters that select make of a false value: no elements, and no look at what
/// they were given.
std::optional<Value> of_nothing(Call& call) {
  if (truth(call.self)) return std::nullopt;
  return call.runtime.list({}, Flavor::Generator);
}

/// The arguments behind the first `count`.
Arguments rest_of(const Arguments& all, std::size_t count) {
  Arguments rest = all;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + static_cast<std::ptrdiff_t>(count));
  return rest;
}

Value mapped_attribute(Call& call) {
  std::optional<Value> path;
  Value absent = None{};
  for (const auto& [name, value] : call.arguments.named) {
    if (name == "attribute")
      path = value;
    else if (name == "default")
      absent = value;
    else
      call.fail(fmt::format("there is no argument '{}'", name));
  }
  if (!path) call.fail("wants a filter's name or attribute=");
  std::vector<Value> result;
  for (const auto& element : items_of(call)) {
    const auto found = at_path(call.runtime, element, *path);
    result.push_back(is<Undefined>(found) && !is<None>(absent) ? absent : found);
  }
  return call.runtime.list(std::move(result), Flavor::Generator);
}

Value map(Call& call) {
  if (const auto none = of_nothing(call)) return *none;
  if (call.arguments.positional.empty()) return mapped_attribute(call);
  const auto name = call.text(call.arguments.positional[0], "");
  std::vector<Value> result;
  for (const auto& element : items_of(call)) {
    auto rest = rest_of(call.arguments, 1);
    result.push_back(apply_filter(call.runtime, name, element, rest));
  }
  return call.runtime.list(std::move(result), Flavor::Generator);
}

Value selected(Call& call, bool by_attribute, bool wanted) {
  if (const auto none = of_nothing(call)) return *none;
  const auto& given = call.arguments.positional;
  const std::size_t skipped = by_attribute ? 1 : 0;
  if (given.size() < skipped) call.fail("the attribute's name is missing");
  std::vector<Value> result;
  for (const auto& element : items_of(call)) {
    const auto value = by_attribute ? at_path(call.runtime, element, given[0]) : element;
    bool good = truth(value);
    if (given.size() > skipped) {
      auto rest = rest_of(call.arguments, skipped + 1);
      good = apply_test(call.runtime, call.text(given[skipped], ""), value, rest);
    }
    if (good == wanted) result.push_back(element);
  }
  return call.runtime.list(std::move(result), Flavor::Generator);
}

Value select(Call& call) {
  return selected(call, false, true);
}
Value reject(Call& call) {
  return selected(call, false, false);
}
Value select_attribute(Call& call) {
  return selected(call, true, true);
}
Value reject_attribute(Call& call) {
  return selected(call, true, false);
}

/// The smallest (`side` -1) or largest (1) element, the first of equal ones.
Value extreme(Call& call, int side) {
  const auto given = call.bound({"case_sensitive", "attribute"});
  const auto key_of = [&](const Value& element) {
    const auto value = given[1] ? at_path(call.runtime, element, *given[1]) : element;
    return is_text(value) && !call.flag(given[0], false) ? call.runtime.text(lower(bytes_of(value)))
                                                         : value;
  };
  const auto items = items_of(call);
  if (items.empty()) return call.runtime.undefined("the list is empty");
  auto best = items[0];
  auto best_key = key_of(best);
  for (std::size_t i = 1; i < items.size(); ++i) {
    const auto key = key_of(items[i]);
    if (order(call.runtime, key, best_key) != side) continue;
    best = items[i];
    best_key = key;
  }
  return best;
}

Value smallest(Call& call) {
  return extreme(call, -1);
}
Value largest(Call& call) {
  return extreme(call, 1);
}

Value sum(Call& call) {
  const auto given = call.bound({"attribute", "start"});
  Value total = given[1] ? *given[1] : Value(std::int64_t{0});
  for (const auto& element : items_of(call)) {
    const bool whole = !given[0] || is<None>(*given[0]);
    total = arithmetic(call.runtime, Operator::Add, total,
                       whole ? element : at_path(call.runtime, element, *given[0]));
  }
  return total;
}

Value group_by(Call& call) {
  const auto given = call.bound({"attribute", "default", "case_sensitive"}, 1);
  Arguments sort_by;
  sort_by.named = {{"attribute", *given[0]}};
  if (given[2]) sort_by.named.emplace_back("case_sensitive", *given[2]);
  const auto ordered =
      elements(call.runtime, apply_filter(call.runtime, "sort", call.self, sort_by));
  std::vector<Value> groups;
  std::vector<Value> members;
  Value present;
  Value shown;
  const auto flush = [&] {
    if (members.empty()) return;
    const auto inside = call.runtime.list(std::exchange(members, {}));
    groups.push_back(call.runtime.list({shown, inside}, Flavor::Tuple));
  };
  for (const auto& element : ordered) {
    auto key = at_path(call.runtime, element, *given[0]);
    if (is<Undefined>(key) && given[1]) key = *given[1];
    const auto compared =
        is_text(key) && !call.flag(given[2], false) ? call.runtime.text(lower(bytes_of(key))) : key;
    if (members.empty() || !equal(call.runtime, compared, present)) {
      flush();
      present = compared;
      shown = key;
    }
    members.push_back(element);
  }
  flush();
  return call.runtime.list(std::move(groups));
}

Value attr(Call& call) {
  const auto given = call.bound({"name"}, 1);
  const auto name = call.text(given[0], "");
  if (is<Dict*>(call.self) || is_text(call.self) || is<List*>(call.self)) {
    if (const auto own = method(call.runtime, call.self, name)) return *own;
    return call.runtime.undefined(fmt::format("there is no attribute '{}'", name));
  }
  return attribute(call.runtime, call.self, name);
}

constexpr NamedBuiltin kFilters[] = {
    {"map", map},
    {"select", select},
    {"reject", reject},
    {"selectattr", select_attribute},
    {"rejectattr", reject_attribute},
    {"min", smallest},
    {"max", largest},
    {"sum", sum},
    {"groupby", group_by},
    {"attr", attr},
};

}  // namespace

Value at_path(Runtime& runtime, const Value& value, const Value& path) {
  if (is<None>(path)) return value;
  if (!is_text(path)) return item(runtime, value, path);
  auto found = value;
  for (const auto part : split_at(bytes_of(path), ".", -1, false)) {
    const bool digits =
        !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    const auto number = digits ? whole_number(part, 10) : std::nullopt;
    found = item(runtime, found, number ? Value(*number) : runtime.text(std::string(part)));
  }
  return found;
}

Builtin selection_filter(std::string_view name) {
  return in_table(kFilters, name);
}

}  // namespace aha::jinja
