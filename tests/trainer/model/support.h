#pragma once
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"

namespace aha_test {

inline std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(AHA_SOURCE_DIR) / "tests/golden" / name;
}

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// A tensor of a SafetensorsFile or GgufFile, widened.
template <class File>
std::vector<float> floats(const File& file, const std::string& name) {
  REQUIRE(file.find(name) != nullptr);
  std::vector<float> out(static_cast<std::size_t>(file.find(name)->size));
  file.read(name, std::span(out));
  return out;
}

/// A safetensors file of this header and data.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  std::string out;
  for (int i = 0; i < 8; ++i)
    out += static_cast<char>((static_cast<std::uint64_t>(header.size()) >> (8 * i)) & 0xffU);
  return out.append(header).append(data);
}

}  // namespace aha_test
