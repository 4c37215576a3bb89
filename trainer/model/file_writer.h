#pragma once
#include <filesystem>
#include <string_view>

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
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int file_;
};

}  // namespace aha
