#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// What a Python test gives to the answer that cannot be sent to it (python_driver.h): "line 3 gives f a lambda", "...
/// a generator". Seen where it stands in the call: f(lambda x: x), f([lambda x: x]), f(x for x in y), f being none
/// of the names listed in askable.cpp and none that the test binds. Nothing: none is seen, though what is bound first, as in
/// g = lambda x: x, still shows when the test is run.
std::optional<std::string> unaskable(std::string_view test);

}  // namespace aha
