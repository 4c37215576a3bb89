#include "trainer/metrics/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "trainer/core/error.h"
#include "trainer/core/log.h"

namespace aha {
namespace {

std::string reason() {
  return std::strerror(errno);
}

/// A file that a checkpoint knows is there: a missing one is not made up.
int opened(const std::filesystem::path& path, std::uint64_t offset) {
  require_bytes(path, offset);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT, 0644);
  if (descriptor < 0) fail("{}: cannot be written: {}", path.string(), reason());
  return descriptor;
}

}  // namespace

void require_bytes(const std::filesystem::path& path, std::uint64_t offset) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT && offset == 0) return;
    if (errno == ENOENT)
      fail("{}: is missing, but the checkpoint was saved when it held {} bytes; put the file back",
           path.string(), offset);
    fail("{}: cannot be read: {}", path.string(), reason());
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (S_ISREG(info.st_mode) && size < offset)
    fail(
        "{}: holds {} bytes, but the checkpoint was saved when it held {}; put the file back or "
        "resume from an older checkpoint",
        path.string(), size, offset);
}

AppendFile::AppendFile(std::filesystem::path path, std::uint64_t offset)
    : path_(std::move(path)), descriptor_(opened(path_, offset)), offset_(offset) {
  if (::ftruncate(descriptor_, static_cast<off_t>(offset)) == 0 || errno == EINVAL) return;
  const auto why = reason();
  ::close(std::exchange(descriptor_, -1));  // a constructor that throws runs no destructor
  fail("{}: cannot be cut to {} bytes: {}", path_.string(), offset, why);
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      offset_(other.offset_),
      held_(std::move(other.held_)) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(offset_, other.offset_);
  std::swap(held_, other.held_);
  return *this;
}

void AppendFile::append(std::string_view bytes) {
  std::uint64_t at = offset_;
  while (!bytes.empty()) {
    // Written at a known place, not at the end: after a failed cut the next record still lands
    // where the last whole one ended.
    const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const auto why = reason();
      [[maybe_unused]] const int best_effort =
          ::ftruncate(descriptor_, static_cast<off_t>(offset_));
      fail("{}: writing failed: {}", path_.string(), why);
    }
    at += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  offset_ = at;
}

void AppendFile::append_held() {
  if (held_.empty()) return;
  append(held_);
  spdlog::info("{}: can be written again", path_.string());
  held_.clear();
}

void AppendFile::append_or_hold(std::string_view bytes) {
  const bool first = held_.empty();
  try {
    append_held();
    append(bytes);
  } catch (const UserError& error) {
    if (held_.size() + bytes.size() > kMostHeld) throw;
    if (first)
      spdlog::error("{}; what belongs there is held in memory until it can be written",
                    error.what());
    held_ += bytes;
  }
}

void AppendFile::sync() {
  append_held();
  if (::fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
    fail("{}: cannot be synced to disk: {}", path_.string(), reason());
}

}  // namespace aha
