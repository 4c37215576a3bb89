#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// GPT-2's alphabet: every byte as one printable character, so that a vocabulary over bytes can be
/// written as text. '!'..'~', 0xA1..0xAC and 0xAE..0xFF stand for themselves, the others are
/// U+0100 and on, in order. (openai/gpt-2, src/encoder.py, bytes_to_unicode)
void append_byte_level(unsigned char byte, std::string& text);
std::string to_byte_level(std::string_view bytes);

/// The bytes that `text` is the spelling of; nothing when a character is not of the alphabet.
std::optional<std::string> from_byte_level(std::string_view text);

/// GPT-2's word pattern, which ByteLevel splits at unless told otherwise.
constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace aha
