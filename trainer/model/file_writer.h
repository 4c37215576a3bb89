#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace aha {

/// Writes a file piece by piece to a temporary name beside it; `commit` syncs and renames, so that
/// a reader sees the old file or the whole new one. Without commit the temporary is removed. For
/// files too large to build in memory. UserError with the system's reason when the disk is full or
/// writing is not permitted.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::string_view bytes);
  /// CRC-32C of what was written since the last call.
  std::uint32_t take_checksum() { return std::exchange(checksum_, 0); }
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int file_;
  std::uint32_t checksum_ = 0;
};

}  // namespace aha
