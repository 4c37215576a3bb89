#pragma once
#include <optional>
#include <string_view>

namespace aha::math {

// Letters of a choice, A to J. Several that "or", "and" or a comma join, or that stand in a row, are none, one behind
// "not" is passed over, and an "A" or "I" before a word is a word. Linear in the text.

/// The letter in a completion: the first that stands alone after the last "answer", else the last in brackets, else the
/// one that ends the text or begins it as a label does.
std::optional<std::string_view> choice_letter(std::string_view text);

/// The letter that an answer begins with as its label: "B", "(B) 12", "B. 12", "\textbf{(B)}\ 12", "Option B". An empty one
/// where another stands beside it.
std::optional<std::string_view> choice_label(std::string_view answer);

/// True where a text is one letter and nothing else, brackets and commands such as \text aside.
bool is_choice(std::string_view text);

}  // namespace aha::math
