#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

enum class Language { Python, Cpp };

/// The language of a fence's tag: python, py; cpp, c++, cc, cxx; with a version (python3.10, c++17) or without. Case
/// does not matter, nor what follows behind a space, a comma or the like.
std::optional<Language> language_of(std::string_view tag);

struct CodeBlock {
  std::string text;  ///< the lines between the fences
  Language language = Language::Python;
};

/// The last closed block between lines of three backticks or tildes, or more:
///
///   opening  = [spaces] [<a tag>] fence language
///   closing  = [spaces] at least as many of the same sign [</a tag>]
///
/// that is in `wanted`, or, without it, in any of the languages. One without a language is in the wanted
/// one, else Python, and counts only where none has a language: it may be what the program has written. Where all lines
/// are indented as the fence is, in an item of a list, that is left out. Nothing where there is none: a block that is not
/// closed was cut off.
std::optional<CodeBlock> last_code_block(std::string_view text, std::optional<Language> wanted);

}  // namespace aha
