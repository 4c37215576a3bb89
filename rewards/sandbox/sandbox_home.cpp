#include "rewards/sandbox/sandbox_home.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "trainer/core/error.h"

namespace aha {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBeginning = "aha_code_";
constexpr const char* kOwner = "owner";

/// The file, open and locked; or -1.
int locked(const fs::path& path, int flags) {
  const int file = open(path.c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0) {
    close(file);
    return -1;
  }
  return file;
}

bool is_own_folder(const fs::path& path) {
  struct stat about {};
  return lstat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode) && about.st_uid == geteuid();
}

void remove_abandoned(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator all(folder, error), end; !error && all != end; all.increment(error)) {
    const auto& path = all->path();
    if (!path.filename().string().starts_with(kBeginning) || !is_own_folder(path)) continue;
    const int lock = locked(path / kOwner, 0);
    if (lock < 0) continue;
    std::error_code ignored;
    fs::remove_all(path, ignored);
    close(lock);
  }
}

}  // namespace

SandboxHome::SandboxHome() {
  const auto folder = fs::temp_directory_path();
  remove_abandoned(folder);
  std::string name = (folder / kBeginning).string() + "XXXXXX";
  if (mkdtemp(name.data()) == nullptr) fail("{}: {}", name, std::strerror(errno));
  path_ = name;
  chmod(path_.c_str(), 0711);
  // it has its name when it is locked
  const auto unnamed = path_ / "owner.new";
  lock_ = locked(unnamed, O_CREAT | O_EXCL);
  std::error_code ignored;
  if (lock_ >= 0) fs::rename(unnamed, path_ / kOwner, ignored);
}

SandboxHome::~SandboxHome() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  if (lock_ >= 0) close(lock_);
}

}  // namespace aha
