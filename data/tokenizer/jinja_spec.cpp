#include "data/tokenizer/jinja_spec.h"

#include <cmath>

#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

std::string padded(const std::string& head, const std::string& body, const Spec& spec, char usual) {
  const auto size = static_cast<int>(character_count(head) + character_count(body));
  const char align = spec.align != 0 ? spec.align : usual;
  if (size >= spec.width) return head + body;
  const int room = spec.width - size;
  const auto fill = [&](int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += spec.fill;
    return out;
  };
  if (align == '=') return head + fill(room) + body;
  const int left = align == '<' ? 0 : align == '>' ? room : room / 2;
  return fill(left) + head + body + fill(room - left);
}

void group_digits(std::string& digits) {
  auto end = digits.find_first_not_of("0123456789");
  if (end == std::string::npos) end = digits.size();
  for (auto at = static_cast<std::ptrdiff_t>(end) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
}

std::string sign_text(bool negative, const Spec& spec) {
  return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
}

}  // namespace

int number_in(Runtime& runtime, std::string_view text, std::size_t& at) {
  int value = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    value = value * 10 + (text[at] - '0');
    if (value > kMaxWidth) runtime.fail("a format with a width or precision that is too large");
  }
  return value;
}

std::string whole_text(std::int64_t value, const Spec& spec) {
  const bool negative = value < 0;
  const auto size =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::string head = sign_text(negative, spec);
  std::string digits;
  switch (spec.type) {
    case 'x':
      digits = fmt::format("{:x}", size);
      break;
    case 'X':
      digits = fmt::format("{:X}", size);
      break;
    case 'o':
      digits = fmt::format("{:o}", size);
      break;
    case 'b':
      digits = fmt::format("{:b}", size);
      break;
    default:
      digits = fmt::format("{}", size);
  }
  if (spec.alternate && std::string_view("xXob").find(spec.type) != std::string_view::npos &&
      spec.type != 0)
    head += std::string("0") + spec.type;
  if (spec.precision > 0 && digits.size() < static_cast<std::size_t>(spec.precision))
    digits.insert(0, static_cast<std::size_t>(spec.precision) - digits.size(), '0');
  if (spec.grouped) group_digits(digits);
  return padded(head, digits, spec, '>');
}

std::string float_text(double value, const Spec& spec) {
  if (!std::isfinite(value))
    return padded(sign_text(std::signbit(value) && !std::isnan(value), spec),
                  std::isnan(value) ? "nan" : "inf", spec, '>');
  const double size = std::fabs(value);
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  std::string digits;
  switch (spec.type) {
    case 'e':
      digits = fmt::format("{:.{}e}", size, precision);
      break;
    case 'E':
      digits = fmt::format("{:.{}E}", size, precision);
      break;
    case 'g':
      digits = fmt::format("{:.{}g}", size, precision);
      break;
    case 'G':
      digits = fmt::format("{:.{}G}", size, precision);
      break;
    case '%':
      digits = fmt::format("{:.{}f}%", size * 100, precision);
      break;
    case 0:
      digits = spec.precision < 0 ? float_repr(size) : fmt::format("{:.{}g}", size, precision);
      break;
    default:
      digits = fmt::format("{:.{}f}", size, precision);
  }
  if (spec.grouped) group_digits(digits);
  return padded(sign_text(std::signbit(value), spec), digits, spec, '>');
}

std::string text_text(std::string_view text, const Spec& spec) {
  if (spec.precision >= 0)
    text = text.substr(0, byte_offset(text, static_cast<std::size_t>(spec.precision)));
  return padded("", std::string(text), spec, '<');
}

}  // namespace aha::jinja
