#include "data/tokenizer/jinja_format.h"

#include <algorithm>
#include <cmath>

#include "data/tokenizer/jinja_ops.h"
#include "data/tokenizer/jinja_spec.h"
#include "data/tokenizer/jinja_string.h"
#include "trainer/core/error.h"

namespace aha::jinja {
namespace {

class PercentFormat {
 public:
  PercentFormat(Runtime& runtime, std::string_view format, const Value& values)
      : runtime_(runtime), format_(format), values_(values) {
    const auto* list = list_of(values);
    if (list != nullptr && list->flavor == Flavor::Tuple)
      arguments_ = list->items;
    else
      arguments_ = {values};
  }

  Value run() {
    for (; at_ < format_.size(); ++at_) {
      if (format_[at_] != '%') {
        out_ += format_[at_];
      } else if (++at_ >= format_.size()) {
        runtime_.fail("a format that ends in '%'");
      } else {
        directive();
      }
      if (out_.size() > runtime_.limits().output) runtime_.fail("a text is too long");
    }
    const bool mapping = is<Dict*>(values_);
    if (next_ < arguments_.size() && !mapping && !by_name_)
      runtime_.fail("'%': more values than the format has places");
    return runtime_.text(std::move(out_));
  }

 private:
  Value argument() {
    if (next_ >= arguments_.size()) runtime_.fail("'%': fewer values than the format has places");
    return arguments_[next_++];
  }

  std::optional<Value> named() {
    if (format_[at_] != '(') return std::nullopt;
    const auto close = format_.find(')', at_);
    if (close == std::string_view::npos || !is<Dict*>(values_))
      runtime_.fail("'%': a name in the format wants a mapping");
    const auto name = std::string(format_.substr(at_ + 1, close - at_ - 1));
    at_ = close + 1;
    by_name_ = true;
    const auto* found = find(runtime_, *std::get<Dict*>(values_), runtime_.text(name));
    if (found == nullptr) runtime_.fail(fmt::format("'%': there is no value '{}'", name));
    return *found;
  }

  int star_or_number() {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      const auto value = as_integer(argument());
      if (!value || *value < -kMaxWidth || *value > kMaxWidth)
        runtime_.fail("'%': '*' wants a whole number");
      return static_cast<int>(*value);
    }
    return number_in(runtime_, format_, at_);
  }

  void directive() {
    const auto given = named();
    Spec spec;
    bool zero = false;
    for (; at_ < format_.size() &&
           std::string_view("-+ #0").find(format_[at_]) != std::string_view::npos;
         ++at_) {
      const char c = format_[at_];
      if (c == '-') spec.align = '<';
      if (c == '+' || (c == ' ' && spec.sign != '+')) spec.sign = c;
      if (c == '#') spec.alternate = true;
      if (c == '0') zero = true;
    }
    spec.width = star_or_number();
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = -spec.width;
    }
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      spec.precision = std::max(0, star_or_number());
    }
    while (at_ < format_.size() &&
           std::string_view("hlL").find(format_[at_]) != std::string_view::npos)
      ++at_;
    if (at_ >= format_.size()) runtime_.fail("a format that ends within a place");
    spec.type = format_[at_];
    if (spec.type == '%') {
      out_ += '%';
      return;
    }
    write(given ? *given : argument(), spec, zero);
  }

  void write(const Value& value, Spec spec, bool zero) {
    const char type = spec.type;
    if (spec.align == 0) spec.align = '>';
    if (type == 's' || type == 'r' || type == 'a') {
      out_ += text_text(type == 's' ? to_text(runtime_, value) : repr(runtime_, value), spec);
      return;
    }
    if (type == 'c' && is_text(value) && character_count(bytes_of(value)) == 1) {
      out_ += text_text(bytes_of(value), spec);
      return;
    }
    refuse_undefined(runtime_, value);
    if (zero && spec.align == '>') {
      spec.align = '=';
      spec.fill.assign(1, '0');
    }
    if (!is_number(value))
      runtime_.fail(fmt::format("'%{}' wants a number, not '{}'", type, type_name(value)));
    if (std::string_view("eEfFgG").find(type) != std::string_view::npos) {
      out_ += float_text(*as_float(value), spec);
    } else if (std::string_view("diu").find(type) != std::string_view::npos) {
      const double number = *as_float(value);
      if (!(std::fabs(number) < 9.2e18)) runtime_.fail("'%d': a number out of range");
      out_ += whole_text(as_integer(value).value_or(static_cast<std::int64_t>(number)), spec);
    } else if (std::string_view("xXo").find(type) != std::string_view::npos && as_integer(value)) {
      out_ += whole_text(*as_integer(value), spec);
    } else {
      runtime_.fail(fmt::format("'%{}' is not supported for '{}'", type, type_name(value)));
    }
  }

  Runtime& runtime_;
  std::string_view format_;
  const Value& values_;
  std::vector<Value> arguments_;
  std::size_t next_ = 0;
  std::size_t at_ = 0;
  bool by_name_ = false;
  std::string out_;
};

}  // namespace

Value percent_format(Runtime& runtime, std::string_view format, const Value& values) {
  return PercentFormat(runtime, format, values).run();
}

}  // namespace aha::jinja
