#include <algorithm>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

std::vector<Value> items_of(Call& call) {
  return elements(call.runtime, call.self);
}

Value size(Call& call) {
  call.bound({});
  const auto count = length(call.runtime, call.self);
  if (!count) call.fail(fmt::format("'{}' has no length", type_name(call.self)));
  return *count;
}

Value first(Call& call) {
  call.bound({});
  if (is_text(call.self) && !bytes_of(call.self).empty())
    return item(call.runtime, call.self, std::int64_t{0});
  const auto* list = list_of(call.self);
  if (list != nullptr && list->flavor != Flavor::Generator && !list->items.empty())
    return list->items[0];
  const auto items = items_of(call);
  return items.empty() ? call.runtime.undefined("no first item: the list is empty") : items[0];
}

Value last(Call& call) {
  call.bound({});
  if (is_text(call.self) && !bytes_of(call.self).empty())
    return item(call.runtime, call.self, std::int64_t{-1});
  const auto* list = list_of(call.self);
  if (list != nullptr && list->flavor == Flavor::Generator)
    call.fail("a generator has no last item");
  const auto items = items_of(call);
  return items.empty() ? call.runtime.undefined("no last item: the list is empty") : items.back();
}

Value list(Call& call) {
  call.bound({});
  return call.runtime.list(items_of(call));
}

Value reverse(Call& call) {
  call.bound({});
  auto items = items_of(call);
  std::reverse(items.begin(), items.end());
  if (!is_text(call.self)) return call.runtime.list(std::move(items), Flavor::Generator);
  std::string text;
  for (const auto& character : items)
    text += bytes_of(character);
  return call.runtime.text(std::move(text));
}

Value join(Call& call) {
  const auto given = call.bound({"d", "attribute"});
  const auto separator = given[0] ? to_text(call.runtime, *given[0]) : "";
  const bool by_attribute = given[1] && !is<None>(*given[1]);
  std::string out;
  bool begun = false;
  for (const auto& element : items_of(call)) {
    if (begun) out += separator;
    begun = true;
    out +=
        to_text(call.runtime, by_attribute ? at_path(call.runtime, element, *given[1]) : element);
    if (out.size() > call.runtime.limits().output) call.fail("the text is too long");
    call.runtime.charge(1 + separator.size() / 1024);
  }
  return call.runtime.text(std::move(out));
}

Value default_value(Call& call) {
  const auto given = call.bound({"default_value", "boolean"});
  const bool missing =
      is<Undefined>(call.self) || (call.flag(given[1], false) && !truth(call.self));
  if (!missing) return call.self;
  return given[0] ? *given[0] : call.runtime.text("");
}

Value items(Call& call) {
  call.bound({});
  if (is<Undefined>(call.self)) return call.runtime.list({}, Flavor::Generator);
  if (!is<Dict*>(call.self)) call.fail("wants a mapping");
  std::vector<Value> pairs;
  for (const auto& [key, value] : std::get<Dict*>(call.self)->entries)
    pairs.push_back(call.runtime.list({key, value}, Flavor::Tuple));
  return call.runtime.list(std::move(pairs), Flavor::Generator);
}

/// Texts compare without regard to case unless asked.
Value folded(Runtime& runtime, const Value& value, bool case_sensitive) {
  return is_text(value) && !case_sensitive ? runtime.text(lower(bytes_of(value))) : value;
}

/// Sorts by keys that were made beforehand, equal ones in their order even when reversed.
std::vector<Value> sorted(Runtime& runtime, const std::vector<Value>& values,
                          const std::vector<Value>& keys, bool reverse) {
  std::vector<std::size_t> order_of(values.size());
  for (std::size_t i = 0; i < order_of.size(); ++i)
    order_of[i] = i;
  // insertion by bisection: an order that is none (NaN) cannot lead it astray
  std::vector<std::size_t> done;
  for (const auto next : order_of) {
    runtime.charge(done.size() / 64);
    const auto place = std::upper_bound(done.begin(), done.end(), next, [&](auto a, auto b) {
      return reverse ? order(runtime, keys[b], keys[a]) == -1
                     : order(runtime, keys[a], keys[b]) == -1;
    });
    done.insert(place, next);
  }
  std::vector<Value> result;
  result.reserve(done.size());
  for (const auto i : done)
    result.push_back(values[i]);
  return result;
}

Value sort(Call& call) {
  const auto given = call.bound({"reverse", "case_sensitive", "attribute"});
  const bool exact = call.flag(given[1], false);
  const auto values = items_of(call);
  std::vector<std::string> paths;
  if (given[2] && is_text(*given[2]))
    for (const auto path : split_at(bytes_of(*given[2]), ",", -1, false))
      paths.emplace_back(path);
  std::vector<Value> keys;
  for (const auto& value : values) {
    std::vector<Value> key;
    key.reserve(paths.size());
    for (const auto& path : paths)
      key.push_back(
          folded(call.runtime, at_path(call.runtime, value, call.runtime.text(path)), exact));
    if (paths.empty())
      key.push_back(
          folded(call.runtime, given[2] ? at_path(call.runtime, value, *given[2]) : value, exact));
    keys.push_back(call.runtime.list(std::move(key)));
  }
  return call.runtime.list(sorted(call.runtime, values, keys, call.flag(given[0], false)));
}

Value dict_sort(Call& call) {
  const auto given = call.bound({"case_sensitive", "by", "reverse"});
  if (!is<Dict*>(call.self)) call.fail("wants a mapping");
  const auto by = call.text(given[1], "key");
  if (by != "key" && by != "value") call.fail("'by' is \"key\" or \"value\"");
  std::vector<Value> pairs;
  std::vector<Value> keys;
  for (const auto& [key, value] : std::get<Dict*>(call.self)->entries) {
    pairs.push_back(call.runtime.list({key, value}, Flavor::Tuple));
    keys.push_back(folded(call.runtime, by == "key" ? key : value, call.flag(given[0], false)));
  }
  return call.runtime.list(sorted(call.runtime, pairs, keys, call.flag(given[2], false)));
}

Value unique(Call& call) {
  const auto given = call.bound({"case_sensitive", "attribute"});
  std::vector<Value> result;
  auto* seen = call.runtime.dict();
  for (const auto& value : items_of(call)) {
    const auto raw = given[1] ? at_path(call.runtime, value, *given[1]) : value;
    const auto key = folded(call.runtime, raw, call.flag(given[0], false));
    if (find(call.runtime, *seen, key) != nullptr) continue;
    insert(call.runtime, *seen, key, None{});
    result.push_back(value);
  }
  return call.runtime.list(std::move(result), Flavor::Generator);
}

Value batch(Call& call) {
  const auto given = call.bound({"linecount", "fill_with"}, 1);
  const auto width = call.integer(given[0], 1);
  std::vector<Value> rows;
  std::vector<Value> row;
  for (const auto& value : items_of(call)) {
    if (std::ssize(row) == width) rows.push_back(call.runtime.list(std::exchange(row, {})));
    row.push_back(value);
  }
  if (row.empty()) return call.runtime.list(std::move(rows), Flavor::Generator);
  const bool fills = given[1] && !is<None>(*given[1]);
  while (fills && std::ssize(row) < width) {
    call.runtime.charge(1);
    row.push_back(*given[1]);
  }
  rows.push_back(call.runtime.list(std::move(row)));
  return call.runtime.list(std::move(rows), Flavor::Generator);
}

Value slices(Call& call) {
  const auto given = call.bound({"slices", "fill_with"}, 1);
  const auto count = call.integer(given[0], 1);
  if (count < 1) call.fail("wants at least one slice");
  const auto values = items_of(call);
  const auto each = std::ssize(values) / count;
  const auto longer = std::ssize(values) % count;
  std::vector<Value> rows;
  std::int64_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto end = at + each + (i < longer ? 1 : 0);
    std::vector<Value> row(values.begin() + at, values.begin() + end);
    if (given[1] && !is<None>(*given[1]) && i >= longer) row.push_back(*given[1]);
    rows.push_back(call.runtime.list(std::move(row)));
    at = end;
  }
  return call.runtime.list(std::move(rows), Flavor::Generator);
}

constexpr NamedBuiltin kFilters[] = {
    {"length", size},     {"count", size},      {"first", first},  {"last", last},
    {"list", list},       {"reverse", reverse}, {"join", join},    {"default", default_value},
    {"d", default_value}, {"items", items},     {"sort", sort},    {"dictsort", dict_sort},
    {"unique", unique},   {"batch", batch},     {"slice", slices},
};

}  // namespace

Builtin sequence_filter(std::string_view name) {
  return in_table(kFilters, name);
}

}  // namespace aha::jinja
