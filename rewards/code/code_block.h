#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

enum class Language { Python, Cpp };

/// The language of a fence's tag: python, py, python3; cpp, c++, cc, cxx. Case does not matter.
std::optional<Language> language_of(std::string_view tag);

struct CodeBlock {
  std::string_view text;  ///< the lines between the fences
  Language language = Language::Python;
};

/// The last closed block between lines of three backticks or more:
///
///   opening  = [spaces] backticks tag
///   closing  = [spaces] at least as many backticks
///
/// that is in `wanted`, or, without it, in any of the languages. A block without a tag is in the wanted
/// one, else Python. Nothing where there is none: a block that is not closed was cut off.
std::optional<CodeBlock> last_code_block(std::string_view text, std::optional<Language> wanted);

}  // namespace aha
