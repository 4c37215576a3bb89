#include "data/tokenizer/jinja_number.h"

#include <charconv>
#include <cmath>
#include <string>

#include "data/tokenizer/jinja_builtins.h"
#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

/// Without '_' between digits; nothing where a '_' stands elsewhere.
std::optional<std::string> without_breaks(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return std::nullopt;
  }
  return out;
}

Value int_filter(Call& call) {
  const auto given = call.bound({"default", "base"});
  const Value absent = given[0] ? *given[0] : Value(std::int64_t{0});
  if (is<Undefined>(call.self)) refuse_undefined(call.runtime, call.self);
  if (const auto whole = as_integer(call.self)) return *whole;
  auto value = as_float(call.self);
  if (is_text(call.self)) {
    if (const auto whole =
            whole_number(bytes_of(call.self), static_cast<int>(call.integer(given[1], 10))))
      return *whole;
    value = float_number(bytes_of(call.self));
  }
  if (!value || !std::isfinite(*value)) return absent;
  if (std::fabs(*value) >= 9223372036854775808.0) call.fail("a whole number beyond 64 bits");
  return static_cast<std::int64_t>(*value);
}

Value float_filter(Call& call) {
  const auto given = call.bound({"default"});
  if (is<Undefined>(call.self)) refuse_undefined(call.runtime, call.self);
  const auto value = is_text(call.self) ? float_number(bytes_of(call.self)) : as_float(call.self);
  if (value) return *value;
  return given[0] ? *given[0] : Value(0.0);
}

Value abs_filter(Call& call) {
  call.bound({});
  refuse_undefined(call.runtime, call.self);
  if (is<double>(call.self)) return std::fabs(std::get<double>(call.self));
  const auto whole = as_integer(call.self);
  if (!whole) call.fail("wants a number");
  return *whole < 0 ? negated(call.runtime, call.self) : Value(*whole);
}

Value round_filter(Call& call) {
  const auto given = call.bound({"precision", "method"});
  const auto digits = call.integer(given[0], 0);
  const auto how = call.text(given[1], "common");
  refuse_undefined(call.runtime, call.self);
  const auto value = as_float(call.self);
  if (!value) call.fail("wants a number");
  if (how != "common" && how != "ceil" && how != "floor")
    call.fail("the method is common, ceil or floor");
  if (how != "common") {
    const double scale = std::pow(10.0, static_cast<double>(digits));
    const double scaled = *value * scale;
    return (how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
  }
  const auto whole = as_integer(call.self);
  if (!whole) return rounded(*value, digits);
  if (digits >= 0) return *whole;
  if (digits < -17) return std::int64_t{0};
  std::int64_t unit = 1;
  for (auto i = digits; i < 0; ++i)
    unit *= 10;
  auto rest = *whole % unit;
  if (rest < 0) rest += unit;
  const auto below = *whole - rest;
  const bool up = rest * 2 > unit || (rest * 2 == unit && below / unit % 2 != 0);
  return up ? below + unit : below;
}

constexpr NamedBuiltin kFilters[] = {
    {"int", int_filter}, {"float", float_filter}, {"abs", abs_filter}, {"round", round_filter}};

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text, int base) {
  text = stripped(text, Side::Both);
  if (text.size() > 1 && (text[0] == '+' || text[0] == '-') && (text[1] == '+' || text[1] == '-'))
    return std::nullopt;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  if (text.size() > 2 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    const int written = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (written != 0 && (base == written || base == 0)) {
      text.remove_prefix(2);
      base = written;
    }
  }
  if (base == 0) base = 10;
  const auto digits = without_breaks(text);
  if (!digits || base < 2 || base > 36) return std::nullopt;
  const auto whole = (negative ? "-" : "") + *digits;
  std::int64_t value = 0;
  const auto read = std::from_chars(whole.data(), whole.data() + whole.size(), value, base);
  if (read.ec != std::errc() || read.ptr != whole.data() + whole.size()) return std::nullopt;
  return value;
}

std::optional<double> float_number(std::string_view text) {
  const auto digits = without_breaks(stripped(text, Side::Both));
  if (!digits || digits->empty()) return std::nullopt;
  std::string_view rest = *digits;
  if (rest[0] == '+') rest.remove_prefix(1);
  if (rest.empty() || rest[0] == '+' || rest.find('(') != std::string_view::npos)
    return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (read.ptr != rest.data() + rest.size()) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range)
    value = std::strtod(std::string(rest).c_str(), nullptr);
  else if (read.ec != std::errc())
    return std::nullopt;
  return value;
}

double rounded(double value, std::int64_t digits) {
  if (!std::isfinite(value) || digits > 330) return value;
  if (digits < -330) return std::copysign(0.0, value);
  if (digits >= 0) return *float_number(fmt::format("{:.{}f}", value, digits));
  const double unit = std::pow(10.0, static_cast<double>(-digits));
  return std::nearbyint(value / unit) * unit;
}

Builtin number_filter(std::string_view name) {
  return in_table(kFilters, name);
}

}  // namespace aha::jinja
