#include "trainer/model/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "trainer/core/crc32c.h"
#include "trainer/core/error.h"

namespace aha {

FileWriter::FileWriter(const std::filesystem::path& path)
    : path_(path),
      temporary_(path.string() + ".tmp"),
      file_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (file_ < 0) fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

FileWriter::~FileWriter() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(temporary_.c_str());
}

void FileWriter::write(std::string_view bytes) {
  checksum_ = crc32c(bytes, checksum_);
  constexpr std::size_t kPiece = std::size_t{1} << 30;  // one write() moves at most 2 GiB
  while (!bytes.empty()) {
    const auto written = ::write(file_, bytes.data(), std::min(bytes.size(), kPiece));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("{}: writing failed: {}", path_.string(), std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void FileWriter::commit() {
  if (::fsync(file_) != 0) fail("{}: writing failed: {}", path_.string(), std::strerror(errno));
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail("{}: cannot be replaced: {}", path_.string(), std::strerror(errno));
  ::close(file_);
  file_ = -1;
}

}  // namespace aha
