#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace aha {

/// Whole file as bytes. UserError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes to a temporary name beside `path`, syncs, renames: a reader sees the old file or the new
/// one, never a part. UserError (with the system's reason: disk full, no permission) on failure, and
/// then the temporary is gone and the old file untouched.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes);

/// As write_file_atomic, without waiting for the disk: for what a crash of the machine may take.
void replace_file(const std::filesystem::path& path, std::string_view bytes);

/// Syncs a file or folder to disk.
void sync_path(const std::filesystem::path& path);

/// Makes `link` a symbolic link to `target` (as given, relative), replacing it in one step.
void replace_symlink(const std::filesystem::path& target, const std::filesystem::path& link);

/// Creates a folder and its parents; UserError when that fails.
void make_folder(const std::filesystem::path& path);

/// A read-only memory-mapped file. Move-only; unmapped by the destructor.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  /// Bytes [begin, end) were used: their pages leave this process's memory, and are read again if need be.
  void forget(std::size_t begin, std::size_t end) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aha
