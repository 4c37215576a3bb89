#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// UserError where a file that a checkpoint knows with `offset` bytes is missing or shorter.
void require_bytes(const std::filesystem::path& path, std::uint64_t offset);

/// A file that only grows, for records that must survive a kill: each `append` is handed to the
/// system at once (no buffer of ours), so what was appended before a crash of the process is there.
/// `offset()` goes into a checkpoint; opening with that offset cuts what came after it, so a
/// resumed run writes the same bytes again. Not thread-safe.
///
/// Errors are UserError "PATH: what: the system's reason" (disk full, no permission, ...).
class AppendFile {
 public:
  /// Makes the file, or cuts an existing one to `offset` bytes (default: empties it). UserError
  /// when the file is shorter than `offset`: it is then not the file that the checkpoint was taken
  /// with.
  explicit AppendFile(std::filesystem::path path, std::uint64_t offset = 0);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Writes all of `bytes`. On failure what was written of them is cut off again, so that the file
  /// never ends in half a record unless the process or the machine died.
  void append(std::string_view bytes);

  /// The same, but a failure is said on the log, and the bytes are held in memory until the file takes
  /// them: at a later call, or at `sync`. UserError when more than kMostHeld are held.
  void append_or_hold(std::string_view bytes);
  static constexpr std::size_t kMostHeld = std::size_t{64} << 20;

  /// The place where the next record begins: bytes in the file, and those that are held.
  std::uint64_t offset() const { return offset_ + held_.size(); }

  /// Forces everything appended so far to the disk (fdatasync), what is held first.
  void sync();

  const std::filesystem::path& path() const { return path_; }

 private:
  void append_held();

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t offset_ = 0;  ///< bytes in the file
  std::string held_;
};

}  // namespace aha
