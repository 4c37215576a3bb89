#include "trainer/model/checksums.h"

#include <algorithm>
#include <charconv>

#include "trainer/core/crc32c.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAlgorithm = "crc32c";

std::string hex(std::uint32_t checksum) {
  return fmt::format("{:08x}", checksum);
}

std::uint32_t from_hex(const Json& value, const std::string& where) {
  const auto text = value.is_string() ? value.get<std::string>() : std::string();
  std::uint32_t checksum = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), checksum, 16);
  if (error != std::errc() || text.size() != 8 || end != text.data() + text.size())
    fail("{}: expected a checksum of 8 hexadecimal digits", where);
  return checksum;
}

/// Below the folder, whatever a hostile file says.
bool stays_below(const fs::path& file) {
  return !file.empty() && file.is_relative() &&
         std::none_of(file.begin(), file.end(), [](const fs::path& part) { return part == ".."; });
}

}  // namespace

std::string Checksums::text() const {
  OrderedJson files = OrderedJson::object();
  for (const auto& [name, sums] : files_) {
    if (const auto* whole = std::get_if<std::uint32_t>(&sums)) {
      files[name] = hex(*whole);
      continue;
    }
    for (const auto& [tensor, checksum] : std::get<TensorChecksums>(sums))
      files[name][tensor] = hex(checksum);
  }
  return OrderedJson{{"algorithm", kAlgorithm}, {"files", files}}.dump(2) + "\n";
}

Checksums Checksums::from_text(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  if (!json.is_object() || json.value("algorithm", Json()) != kAlgorithm ||
      !json.contains("files") || !json["files"].is_object())
    fail("{}: expected 'algorithm': '{}' and 'files': {{file: checksum}}", where, kAlgorithm);
  Checksums result;
  for (const auto& [name, sums] : json["files"].items()) {
    const auto place = fmt::format("{}: {}", where, dump_line(Json(name.substr(0, 100))));
    if (!stays_below(name)) fail("{}: is no file of this folder", place);
    if (!sums.is_object()) {
      result.add(name, from_hex(sums, place));
      continue;
    }
    TensorChecksums tensors;
    for (const auto& [tensor, checksum] : sums.items())
      tensors[tensor] = from_hex(checksum, place);
    result.add(name, std::move(tensors));
  }
  return result;
}

std::optional<Checksums> Checksums::of(const fs::path& folder) {
  const auto file = folder / kFile;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  return from_text(read_file(file), file.string());
}

const TensorChecksums& Checksums::tensors(const fs::path& file) const {
  const auto found = files_.find(file.filename().string());
  if (found == files_.end() || !std::holds_alternative<TensorChecksums>(found->second))
    fail("{}: has no checksums in {}: one of them is damaged, or was changed (then remove {})",
         file.string(), kFile, kFile);
  return std::get<TensorChecksums>(found->second);
}

void Checksums::verify_whole_files(const fs::path& folder) const {
  for (const auto& [name, sums] : files_)
    if (const auto* whole = std::get_if<std::uint32_t>(&sums))
      require_checksum(folder / name, "the file", crc32c(read_file(folder / name)), *whole);
}

Checksums write_summed(const fs::path& folder, const std::string& file, std::string_view bytes) {
  write_file_atomic(folder / file, bytes);
  Checksums checksums;
  checksums.add(file, crc32c(bytes));
  return checksums;
}

void require_checksum(const fs::path& file, std::string_view what, std::uint32_t found,
                      std::uint32_t expected) {
  if (found == expected) return;
  fail("{}: {} is damaged: its checksum is {}, {} has {} (if it was changed, remove {})",
       file.string(), what, hex(found), Checksums::kFile, hex(expected), Checksums::kFile);
}

}  // namespace aha
