#include "data/tokenizer/byte_level.h"

#include <array>
#include <cstdint>

#include "data/tokenizer/unicode.h"

namespace aha {
namespace {

constexpr std::size_t kLetters = 0x144;  // one past the last code point of the alphabet

struct Alphabet {
  std::array<std::int32_t, 256> letter{};
  std::array<std::int16_t, kLetters> byte{};
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.byte)
    byte = -1;
  std::int32_t next = 0x100;
  for (std::int32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    const auto letter = printable ? b : next++;
    alphabet.letter[static_cast<std::size_t>(b)] = letter;
    alphabet.byte[static_cast<std::size_t>(letter)] = static_cast<std::int16_t>(b);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

void append_byte_level(unsigned char byte, std::string& text) {
  append_utf8(kAlphabet.letter[byte], text);
}

std::string to_byte_level(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes)
    append_byte_level(static_cast<unsigned char>(byte), text);
  return text;
}

std::optional<std::string> from_byte_level(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = character_at(text, at);
    const auto letter = static_cast<std::size_t>(character.code_point);
    if (letter >= kLetters || kAlphabet.byte[letter] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kAlphabet.byte[letter]));
    at += character.size;
  }
  return bytes;
}

}  // namespace aha
