#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace aha {

/// CRC-32C of a safetensors file: of each tensor's bytes by name, and of what stands before them as
/// kHeader.
using TensorChecksums = std::map<std::string, std::uint32_t, std::less<>>;
constexpr std::string_view kHeaderChecksum = "__header__";

/// CRC-32C of the files of a folder, kept beside them in checksums.json:
///   {"algorithm": "crc32c", "files": {"config.json": "0f1e2d3c",
///                                     "model.safetensors": {"__header__": "...", "lm_head.weight": "..."}}}
/// Files of tensors have a sum a tensor, so that a reader of some of them need not read all.
class Checksums {
 public:
  static constexpr const char* kFile = "checksums.json";

  void add(const std::string& file, std::uint32_t checksum) { files_[file] = checksum; }
  void add(const std::string& file, TensorChecksums checksums) {
    files_[file] = std::move(checksums);
  }
  void add(const Checksums& others) { files_.insert(others.files_.begin(), others.files_.end()); }

  /// The text of checksums.json.
  std::string text() const;
  /// UserError naming `where` for anything that `text` does not write.
  static Checksums from_text(std::string_view text, const std::string& where);
  /// Those of a folder; nothing when it has none.
  static std::optional<Checksums> of(const std::filesystem::path& folder);

  /// Of one file of tensors. UserError when there are none: they are not of these files.
  const TensorChecksums& tensors(const std::filesystem::path& file) const;
  /// Reads the files that have one sum for all. UserError for the first that is missing or differs.
  void verify_whole_files(const std::filesystem::path& folder) const;

 private:
  std::map<std::string, std::variant<std::uint32_t, TensorChecksums>, std::less<>> files_;
};

/// write_file_atomic, and the sum of what was written.
Checksums write_summed(const std::filesystem::path& folder, const std::string& file,
                       std::string_view bytes);

/// UserError saying that `what` of `file` is damaged, unless the sums are equal.
void require_checksum(const std::filesystem::path& file, std::string_view what, std::uint32_t found,
                      std::uint32_t expected);

}  // namespace aha
