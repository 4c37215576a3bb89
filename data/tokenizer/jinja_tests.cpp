#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

Value defined(Call& call) {
  return !is<Undefined>(call.self);
}
Value undefined(Call& call) {
  return is<Undefined>(call.self);
}
Value none(Call& call) {
  return is<None>(call.self);
}
Value boolean(Call& call) {
  return is<bool>(call.self);
}
Value is_true(Call& call) {
  return is<bool>(call.self) && std::get<bool>(call.self);
}
Value is_false(Call& call) {
  return is<bool>(call.self) && !std::get<bool>(call.self);
}
Value integer(Call& call) {
  return is<std::int64_t>(call.self);
}
Value floating(Call& call) {
  return is<double>(call.self);
}
Value number(Call& call) {
  return is_number(call.self);
}
Value string(Call& call) {
  return is_text(call.self);
}
Value mapping(Call& call) {
  return is<Dict*>(call.self);
}
Value escaped_text(Call& call) {
  return is_text(call.self) && std::get<const Text*>(call.self)->markup;
}

Value sequence(Call& call) {  // what has a length and can be indexed: mappings too
  return is<Undefined>(call.self) || is_text(call.self) || is<Dict*>(call.self) ||
         is_sequence(call.self);
}

Value iterable(Call& call) {
  return is<Undefined>(call.self) || is_text(call.self) || is<Dict*>(call.self) ||
         is<List*>(call.self);
}

Value callable(Call& call) {
  return is<Undefined>(call.self) || is<Callable*>(call.self);
}

Value lower_text(Call& call) {
  const auto text = to_text(call.runtime, call.self);
  return lower(text) == text && upper(text) != text;
}

Value upper_text(Call& call) {
  const auto text = to_text(call.runtime, call.self);
  return upper(text) == text && lower(text) != text;
}

bool divisible(Call& call, std::int64_t by, std::int64_t rest) {
  const auto found = arithmetic(call.runtime, Operator::Mod, call.self, by);
  return equal(call.runtime, found, rest);
}

Value odd(Call& call) {
  return divisible(call, 2, 1);
}
Value even(Call& call) {
  return divisible(call, 2, 0);
}

Value divisible_by(Call& call) {
  const auto given = call.bound({"num"}, 1);
  return equal(call.runtime, arithmetic(call.runtime, Operator::Mod, call.self, *given[0]),
               std::int64_t{0});
}

template <Operator op>
Value compares(Call& call) {
  const auto given = call.bound({"other"}, 1);
  return comparison(call.runtime, op, call.self, *given[0]);
}

Value in(Call& call) {
  const auto given = call.bound({"seq"}, 1);
  return contains(call.runtime, *given[0], call.self);
}

Value same_as(Call& call) {
  const auto given = call.bound({"other"}, 1);
  if (call.self.index() != given[0]->index()) return false;
  if (is<List*>(call.self)) return list_of(call.self) == list_of(*given[0]);
  if (is<Dict*>(call.self)) return std::get<Dict*>(call.self) == std::get<Dict*>(*given[0]);
  return equal(call.runtime, call.self, *given[0]);
}

Value is_filter(Call& call) {
  return is_text(call.self) && find_filter(bytes_of(call.self)) != nullptr;
}
Value is_test(Call& call) {
  return is_text(call.self) && find_test(bytes_of(call.self)) != nullptr;
}

constexpr NamedBuiltin kTests[] = {
    {"defined", defined},
    {"undefined", undefined},
    {"none", none},
    {"boolean", boolean},
    {"true", is_true},
    {"false", is_false},
    {"integer", integer},
    {"float", floating},
    {"number", number},
    {"string", string},
    {"mapping", mapping},
    {"sequence", sequence},
    {"iterable", iterable},
    {"callable", callable},
    {"escaped", escaped_text},
    {"lower", lower_text},
    {"upper", upper_text},
    {"odd", odd},
    {"even", even},
    {"divisibleby", divisible_by},
    {"in", in},
    {"sameas", same_as},
    {"filter", is_filter},
    {"test", is_test},
    {"==", compares<Operator::Eq>},
    {"eq", compares<Operator::Eq>},
    {"equalto", compares<Operator::Eq>},
    {"!=", compares<Operator::Ne>},
    {"ne", compares<Operator::Ne>},
    {"<", compares<Operator::Lt>},
    {"lt", compares<Operator::Lt>},
    {"lessthan", compares<Operator::Lt>},
    {"<=", compares<Operator::Le>},
    {"le", compares<Operator::Le>},
    {">", compares<Operator::Gt>},
    {"gt", compares<Operator::Gt>},
    {"greaterthan", compares<Operator::Gt>},
    {">=", compares<Operator::Ge>},
    {"ge", compares<Operator::Ge>},
};

}  // namespace

Builtin find_test(std::string_view name) {
  return in_table(kTests, name);
}

}  // namespace aha::jinja
