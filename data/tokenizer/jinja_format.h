#pragma once
#include <string_view>

#include "data/tokenizer/jinja_value.h"

namespace aha::jinja {

/// Python's `format % values`: s r a d i u f F e E g G x X o c %, with flags, width and precision.
Value percent_format(Runtime& runtime, std::string_view format, const Value& values);
/// str.format: {}, {0}, {name}, !s and !r, format specs of texts and numbers, no attributes.
Value brace_format(Runtime& runtime, std::string_view format, const Arguments& arguments);

}  // namespace aha::jinja
