#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "trainer/core/error.h"

namespace aha_test {

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(AHA_SOURCE_DIR) / "tests/golden" / name;
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// What a UserError says; "no error" when `body` throws none.
template <class Body>
std::string error_of(const Body& body) {
  try {
    body();
  } catch (const aha::UserError& error) {
    return error.what();
  }
  return "no error";
}

/// A safetensors file of this header and data.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  std::string out;
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>((static_cast<std::uint64_t>(header.size()) >> (8 * i)) & 0xffU);
  return out.append(header).append(data);
}

}  // namespace aha_test
