#include "data/tokenizer/jinja_ops.h"

#include <cmath>

#include "data/tokenizer/jinja_format.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

constexpr const char* kSigns[] = {
    "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "in", "not in"};

std::string sign_of(Operator op) {
  return kSigns[static_cast<std::size_t>(op)];
}

[[noreturn]] void refuse(Runtime& runtime, Operator op, const Value& a, const Value& b) {
  runtime.fail(fmt::format("'{}' does not work between '{}' and '{}'", sign_of(op), type_name(a),
                           type_name(b)));
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  const auto quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

/// Whole-number powers; nothing when the result leaves 64 bits.
bool power(std::int64_t base, std::int64_t exponent, std::int64_t& result) {
  result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return false;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return false;
  }
  return true;
}

Value whole_arithmetic(Runtime& runtime, Operator op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool good = true;
  if (op == Operator::Add) good = !__builtin_add_overflow(a, b, &result);
  if (op == Operator::Sub) good = !__builtin_sub_overflow(a, b, &result);
  if (op == Operator::Mul) good = !__builtin_mul_overflow(a, b, &result);
  if (op == Operator::Pow) good = power(a, b, result);
  if (op == Operator::FloorDiv || op == Operator::Mod) {
    good = b != -1 || a != INT64_MIN;
    if (good)
      result = op == Operator::FloorDiv ? floor_quotient(a, b) : a - floor_quotient(a, b) * b;
  }
  if (!good) runtime.fail("a whole number beyond 64 bits");
  return result;
}

double float_mod(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double float_floor_quotient(double a, double b) {
  const double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value float_power(Runtime& runtime, double a, double b) {
  if (a == 0 && b < 0) runtime.fail("zero to a negative power");
  if (a < 0 && std::isfinite(b) && b != std::floor(b)) runtime.fail("a root of a negative number");
  const double result = std::pow(a, b);
  if (std::isinf(result) && std::isfinite(a) && std::isfinite(b))
    runtime.fail("a float out of range");
  return result;
}

Value number_arithmetic(Runtime& runtime, Operator op, const Value& x, const Value& y) {
  const double a = *as_float(x);
  const double b = *as_float(y);
  const bool divides = op == Operator::Div || op == Operator::FloorDiv || op == Operator::Mod;
  if (divides && b == 0) runtime.fail("division by zero");
  const bool whole = !is<double>(x) && !is<double>(y);
  if (whole && op != Operator::Div && !(op == Operator::Pow && b < 0))
    return whole_arithmetic(runtime, op, *as_integer(x), *as_integer(y));
  switch (op) {
    case Operator::Add:
      return a + b;
    case Operator::Sub:
      return a - b;
    case Operator::Mul:
      return a * b;
    case Operator::Div:
      return a / b;
    case Operator::FloorDiv:
      return float_floor_quotient(a, b);
    case Operator::Mod:
      return float_mod(a, b);
    default:
      return float_power(runtime, a, b);
  }
}

Value concatenation(Runtime& runtime, const Text& a, const Text& b) {
  if (a.markup == b.markup) return runtime.text(a.bytes + b.bytes, a.markup);
  return runtime.text(
      (a.markup ? a.bytes : escaped(a.bytes)) + (b.markup ? b.bytes : escaped(b.bytes)), true);
}

Value repeated(Runtime& runtime, const Value& value, std::int64_t count) {
  const auto times = static_cast<std::size_t>(count < 0 ? 0 : count);
  const auto unit = is_text(value) ? bytes_of(value).size() : list_of(value)->items.size();
  if (unit > 0 && times > runtime.limits().output / unit) runtime.fail("a repetition is too long");
  if (is_text(value)) {
    std::string out;
    out.reserve(unit * times);
    for (std::size_t i = 0; unit > 0 && i < times; ++i)
      out += bytes_of(value);
    return runtime.text(std::move(out), std::get<const Text*>(value)->markup);
  }
  runtime.charge(unit * times);
  std::vector<Value> items;
  const auto& source = list_of(value)->items;
  for (std::size_t i = 0; unit > 0 && i < times; ++i)
    items.insert(items.end(), source.begin(), source.end());
  return runtime.list(std::move(items), list_of(value)->flavor);
}

bool is_plain_list(const Value& value) {
  return is_sequence(value) && list_of(value)->flavor != Flavor::Range;
}

/// Compares exactly: a 64-bit whole number need not fit a double.
int number_order(const Value& x, const Value& y) {
  const auto three_way = [](auto a, auto b) { return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2; };
  const auto a = as_integer(x);
  const auto b = as_integer(y);
  if (a && b) return three_way(*a, *b);
  static_assert(sizeof(long double) > sizeof(double), "holds every 64-bit whole number");
  const auto wide = [](const Value& v) {
    const auto whole = as_integer(v);
    return whole ? static_cast<long double>(*whole) : static_cast<long double>(std::get<double>(v));
  };
  return three_way(wide(x), wide(y));
}

bool equal_entries(Runtime& runtime, const Dict& a, const Dict& b, int depth) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    const auto* other = find(runtime, b, key);
    if (other == nullptr || !equal(runtime, value, *other, depth + 1)) return false;
  }
  return true;
}

bool equal_lists(Runtime& runtime, const List& a, const List& b, int depth) {
  if (&a == &b) return true;
  if (a.flavor != b.flavor || a.items.size() != b.items.size() || a.flavor == Flavor::Generator)
    return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!equal(runtime, a.items[i], b.items[i], depth + 1)) return false;
  return true;
}

}  // namespace

void refuse_undefined(Runtime& runtime, const Value& value) {
  if (!is<Undefined>(value)) return;
  const auto* why = std::get<Undefined>(value).why;
  runtime.fail(why != nullptr ? why->bytes : "an undefined value is used");
}

Value arithmetic(Runtime& runtime, Operator op, const Value& a, const Value& b) {
  if (op == Operator::Mod && is_text(a)) return percent_format(runtime, bytes_of(a), b);
  refuse_undefined(runtime, a);
  refuse_undefined(runtime, b);
  if (is_number(a) && is_number(b)) return number_arithmetic(runtime, op, a, b);
  if (op == Operator::Add && is_text(a) && is_text(b))
    return concatenation(runtime, *std::get<const Text*>(a), *std::get<const Text*>(b));
  if (op == Operator::Add && is_plain_list(a) && is_plain_list(b) &&
      list_of(a)->flavor == list_of(b)->flavor) {
    auto items = list_of(a)->items;
    items.insert(items.end(), list_of(b)->items.begin(), list_of(b)->items.end());
    return runtime.list(std::move(items), list_of(a)->flavor);
  }
  if (op == Operator::Mul) {
    if ((is_text(a) || is_plain_list(a)) && as_integer(b))
      return repeated(runtime, a, *as_integer(b));
    if ((is_text(b) || is_plain_list(b)) && as_integer(a))
      return repeated(runtime, b, *as_integer(a));
  }
  refuse(runtime, op, a, b);
}

bool equal(Runtime& runtime, const Value& a, const Value& b, int depth) {
  if (depth > runtime.limits().value_depth) runtime.fail("values nested too deeply to compare");
  runtime.charge(1);
  if (is_number(a) && is_number(b)) return number_order(a, b) == 0;
  if (a.index() != b.index()) return false;
  if (is<Undefined>(a) || is<None>(a)) return true;
  if (is_text(a)) return bytes_of(a) == bytes_of(b);
  if (is<List*>(a)) return equal_lists(runtime, *list_of(a), *list_of(b), depth);
  if (is<Dict*>(a)) return equal_entries(runtime, *std::get<Dict*>(a), *std::get<Dict*>(b), depth);
  if (is<Namespace*>(a)) return std::get<Namespace*>(a) == std::get<Namespace*>(b);
  return std::get<Callable*>(a) == std::get<Callable*>(b);
}

int order(Runtime& runtime, const Value& a, const Value& b, int depth) {
  if (depth > runtime.limits().value_depth) runtime.fail("values nested too deeply to compare");
  runtime.charge(1);
  refuse_undefined(runtime, a);
  refuse_undefined(runtime, b);
  if (is_number(a) && is_number(b)) return number_order(a, b);
  if (is_text(a) && is_text(b)) {  // UTF-8 sorts as code points do
    const int found = bytes_of(a).compare(bytes_of(b));
    return found < 0 ? -1 : found > 0 ? 1 : 0;
  }
  if (is_plain_list(a) && is_plain_list(b) && list_of(a)->flavor == list_of(b)->flavor) {
    const auto& x = list_of(a)->items;
    const auto& y = list_of(b)->items;
    for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (!equal(runtime, x[i], y[i], depth + 1)) return order(runtime, x[i], y[i], depth + 1);
    return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;
  }
  refuse(runtime, Operator::Lt, a, b);
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (is_text(container)) {
    if (!is_text(item))
      runtime.fail(fmt::format("'in <string>' wants a text on its left, not {}", type_name(item)));
    runtime.charge(bytes_of(container).size() / 256);
    return bytes_of(container).find(bytes_of(item)) != std::string::npos;
  }
  if (is<Dict*>(container)) return find(runtime, *std::get<Dict*>(container), item) != nullptr;
  for (const auto& element : elements(runtime, container))
    if (equal(runtime, element, item)) return true;
  return false;
}

bool comparison(Runtime& runtime, Operator op, const Value& a, const Value& b) {
  switch (op) {
    case Operator::Eq:
      return equal(runtime, a, b);
    case Operator::Ne:
      return !equal(runtime, a, b);
    case Operator::In:
      return contains(runtime, b, a);
    case Operator::NotIn:
      return !contains(runtime, b, a);
    case Operator::Lt:
      return order(runtime, a, b) == -1;
    case Operator::Gt:
      return order(runtime, a, b) == 1;
    case Operator::Le: {
      const int found = order(runtime, a, b);
      return found == -1 || found == 0;
    }
    default: {
      const int found = order(runtime, a, b);
      return found == 1 || found == 0;
    }
  }
}

Value negated(Runtime& runtime, const Value& value) {
  refuse_undefined(runtime, value);
  if (is<double>(value)) return -std::get<double>(value);
  if (const auto whole = as_integer(value))
    return whole_arithmetic(runtime, Operator::Sub, 0, *whole);
  runtime.fail(fmt::format("'-' does not work on '{}'", type_name(value)));
}

}  // namespace aha::jinja
