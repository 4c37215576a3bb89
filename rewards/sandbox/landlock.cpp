#include "rewards/sandbox/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace aha {
namespace {

/// landlock_ruleset_attr of version 6; the kernel takes a longer one whose unknown fields are 0.
struct RulesetFields {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint64_t kRefer = 1U << 13;     // from version 2
constexpr std::uint64_t kTruncate = 1U << 14;  // from version 3
constexpr std::uint64_t kVersion1 = kRefer - 1;
constexpr std::uint64_t kTcp = 3;           // bind and connect, from version 4
constexpr std::uint64_t kBeyondDomain = 3;  // abstract sockets and signals, from version 6

std::uint64_t file_rights(int version) {
  return kVersion1 | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0);
}

std::uint64_t rights_of(PathAccess access, bool folder) {
  constexpr std::uint64_t kFileWrite = LANDLOCK_ACCESS_FS_WRITE_FILE;
  constexpr std::uint64_t kFileRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
  if (access == PathAccess::Device) return LANDLOCK_ACCESS_FS_READ_FILE | kFileWrite;
  if (access == PathAccess::Read)
    return kFileRead | (folder ? std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR} : 0);
  return file_rights(landlock_version());
}

}  // namespace

int landlock_version() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

int landlock_ruleset() {
  const int version = landlock_version();
  RulesetFields fields;
  fields.files = file_rights(version);
  if (version >= 4) fields.network = kTcp;
  if (version >= 6) fields.scoped = kBeyondDomain;
  // The size is the version's: older kernels refuse even zeros that they do not know.
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  return static_cast<int>(syscall(SYS_landlock_create_ruleset, &fields, size, 0));
}

bool landlock_allow(int ruleset, const char* path, PathAccess access) {
  const int file = open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return true;
  struct stat about {};
  landlock_path_beneath_attr rule{};
  rule.parent_fd = file;
  bool done = fstat(file, &about) == 0;
  rule.allowed_access = rights_of(access, S_ISDIR(about.st_mode));
  done = done && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  close(file);
  return done;
}

bool landlock_enforce(int ruleset) {
  return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

}  // namespace aha
