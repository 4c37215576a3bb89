#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "rewards/code/code_tests.h"

namespace aha {

/// Tests that call a function, as APPS and TACO have them beside programs:
///
///   {"fn_name": "add", "inputs": [["ab", "c"], ...], "outputs": ["abc", ...]}
///
/// each an assertion in Python: add("ab", "c"), or that of Solution() where the answer defines such a class, is the
/// output, or what that holds where it is a list of one thing, as APPS writes some. JSON has no tuples and no keys but texts: a
/// tuple is the list of what it holds, and an object whose keys are whole numbers has numbers. `written` is the text
/// of `value` where there is one: its numbers are then taken as they are written, however large.
///
/// With `most` above 0 the first ones alone.
CodeTests calls_of(const Json& value, std::string_view written, const std::string& field,
                   std::size_t most);

/// Whether that is what a value has.
bool has_calls(const Json& value);

}  // namespace aha
