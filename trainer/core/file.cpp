#include "trainer/core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "trainer/core/error.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0644)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }

 private:
  int value_;
};

std::string reason() {
  return std::strerror(errno);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file) fail("{}: cannot be read: {}", path.string(), reason());
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || S_ISDIR(info.st_mode))
    fail("{}: is not a file that can be read", path.string());
  std::string bytes;
  char buffer[1 << 16];
  for (;;) {
    const auto got = ::read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: reading failed: {}", path.string(), reason());
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

namespace {

void write_and_rename(const fs::path& path, std::string_view bytes, bool sync) {
  const fs::path temporary = path.string() + ".tmp";
  {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) fail("{}: cannot be written: {}", path.string(), reason());
    if (!write_all(file.get(), bytes) || (sync && ::fsync(file.get()) != 0)) {
      const auto why = reason();
      ::unlink(temporary.c_str());
      fail("{}: writing failed: {}", path.string(), why);
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const auto why = reason();
    ::unlink(temporary.c_str());
    fail("{}: cannot be replaced: {}", path.string(), why);
  }
}

}  // namespace

void write_file_atomic(const fs::path& path, std::string_view bytes) {
  write_and_rename(path, bytes, true);
}

void replace_file(const fs::path& path, std::string_view bytes) {
  write_and_rename(path, bytes, false);
}

void sync_path(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file || ::fsync(file.get()) != 0) fail("{}: cannot be synced: {}", path.string(), reason());
}

void replace_symlink(const fs::path& target, const fs::path& link) {
  const fs::path temporary = link.string() + ".tmp";
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0 ||
      ::rename(temporary.c_str(), link.c_str()) != 0) {
    const auto why = reason();
    ::unlink(temporary.c_str());
    fail("{}: cannot be linked to {}: {}", link.string(), target.string(), why);
  }
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  // libstdc++ reports no error where a file stands in the folder's place
  if (!error && !fs::is_directory(path, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail("{}: the folder cannot be made: {}", path.string(), error.message());
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file) fail("{}: cannot be read: {}", path.string(), reason());
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    fail("{}: is not a file that can be read", path.string());
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ == 0) return;
  void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) fail("{}: cannot be mapped: {}", path.string(), reason());
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::forget(std::size_t begin, std::size_t end) const {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  begin = begin / page * page;  // a page shared with neighbours is only read again
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

}  // namespace aha
