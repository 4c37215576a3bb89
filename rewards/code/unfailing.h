#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// Why a Python test passes whatever the answer returns: "asserts nothing", "asserts a tuple in line 2, which is always
/// true". Seen in its text: no word in it can end it (assert, raise, exit, what unittest and pytest have, ...), or none but
/// assert before (a, b). Nothing: it may fail.
std::optional<std::string> unfailing(std::string_view test);

}  // namespace aha
