#pragma once
#include <string_view>

namespace aha::math {

/// True where the text behind an answer takes it back: "is wrong", "wait, it should be 7", "actually the correct value is
/// 7". Words such as "wait" count only where they lead to another number than the answer's.
bool is_taken_back(std::string_view behind, std::string_view answer);

}  // namespace aha::math
