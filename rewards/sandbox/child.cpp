// Between clone and exec: system calls alone, and none of glibc's that look at the threads of the
// process (setuid and its kin), since memory is still the parent's.
#include "rewards/sandbox/child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace aha {
namespace {

constexpr int kLastCapability = 63;

bool write_text(const char* path, const char* text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const auto size = std::strlen(text);
  const bool done = write(file, text, size) == static_cast<ssize_t>(size);
  close(file);
  return done;
}

bool map_ids(const ChildPlan& plan) {
  return write_text("/proc/self/setgroups", "deny") &&
         write_text("/proc/self/uid_map", plan.uid_map.c_str()) &&
         write_text("/proc/self/gid_map", plan.gid_map.c_str());
}

/// Flags that a mount has, which may not be dropped within a user namespace.
unsigned long flags_of(const char* path) {
  struct statfs about {};
  if (statfs(path, &about) != 0) return 0;
  constexpr long kSame = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME;
  constexpr long kRelatime = 4096;  // of statfs; 1 << 21 for mount
  unsigned long flags = static_cast<unsigned long>(about.f_flags & kSame);
  if ((about.f_flags & kRelatime) != 0) flags |= MS_RELATIME;
  return flags;
}

/// `path` of the old root, at `target` relative to the new one, in which we stand.
bool show(const char* path, const char* target, PathAccess access) {
  if (mount(path, target, nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return access != PathAccess::Write && errno == ENOENT;
  unsigned long flags = flags_of(target) | MS_BIND | MS_REMOUNT | MS_NOSUID;
  if (access != PathAccess::Device) flags |= MS_NODEV;
  if (access != PathAccess::Write) flags |= MS_RDONLY;
  return mount(nullptr, target, nullptr, flags, nullptr) == 0;
}

/// Relative to the folder in which we stand.
const char* relative(const std::string& path) {
  return path.c_str() + 1;
}

/// Fills the new root, in which we stand.
bool fill_root(const ChildPlan& plan) {
  for (const auto& parent : plan.parents)
    if (mkdir(relative(parent), 0755) != 0 && errno != EEXIST) return false;
  for (const auto& path : plan.paths) {
    const char* target = relative(path.path);
    if (path.folder) {
      if (mkdir(target, 0755) != 0 && errno != EEXIST) return false;
    } else {
      const int file = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
      if (file < 0) return false;
      close(file);
    }
    if (!show(path.path.c_str(), target, path.access)) return false;
  }
  return mkdir(kBox + 1, 0755) == 0 &&
         show(plan.folder.c_str(), kBox + 1,
              plan.folder_writable ? PathAccess::Write : PathAccess::Read);
}

/// A root of its own: in memory, read-only, with nothing but the visible paths.
bool change_root(const ChildPlan& plan) {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV;
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", plan.root.c_str(), "tmpfs", kFlags, "size=64k,mode=755") == 0 &&
         chdir(plan.root.c_str()) == 0 && fill_root(plan) &&
         syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
         mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | kFlags, nullptr) == 0 &&
         chdir(kBox) == 0;
}

bool take_streams(const ChildPlan& plan) {
  for (int i = 0; i < 3; ++i)
    if (dup2(plan.streams[i], i) < 0) return false;
  if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0) return true;
  struct rlimit files {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  for (rlim_t file = 3; file < files.rlim_cur && file < 1U << 20; ++file)
    close(static_cast<int>(file));
  return true;
}

bool change_user(uid_t user) {
  const auto become = [](uid_t id) {
    return syscall(SYS_setresgid, id, id, id) == 0 && syscall(SYS_setresuid, id, id, id) == 0;
  };
  constexpr uid_t kNobody = 65534;  // where ids are mapped, the other one may not be
  return syscall(SYS_setgroups, 0, nullptr) == 0 && (become(user) || become(kNobody));
}

bool drop_capabilities() {
  for (int capability = 0; capability <= kLastCapability; ++capability)
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // those that are not there do not matter
  return true;
}

bool clear_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

bool set_limits(const ChildPlan& plan) {
  for (const auto& [resource, most] : plan.limits) {
    struct rlimit limit {};
    if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return false;
    // the hard limit may be below already
    limit.rlim_max = limit.rlim_max == RLIM_INFINITY ? most : std::min(limit.rlim_max, most);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return false;
  }
  return true;
}

bool wall_paths(const ChildPlan& plan) {
  const int ruleset = landlock_ruleset();
  if (ruleset < 0) return false;
  bool done =
      landlock_allow(ruleset, ".", plan.folder_writable ? PathAccess::Write : PathAccess::Read);
  for (const auto& path : plan.paths)
    done = done && landlock_allow(ruleset, path.path.c_str(), path.access);
  done = done && landlock_enforce(ruleset);
  close(ruleset);
  return done;
}

/// As after exec, and nothing ignored: handlers are the parent's code.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool filter_calls(std::span<const sock_filter> filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

/// The step that failed; null does not come back from exec.
const char* wall_in(const ChildPlan& plan) {
  const auto& layers = plan.layers;
  if (setsid() < 0) return "setsid";
  if (layers.user_namespace && !map_ids(plan)) return "mapping user ids";
  if (layers.namespaces ? !change_root(plan) : chdir(plan.folder.c_str()) != 0)
    return layers.namespaces ? "mounting" : "entering the folder";
  if (!take_streams(plan)) return "taking its streams";
  if (plan.held) drop_capabilities();
  if (layers.own_user && !change_user(plan.user)) return "changing the user";
  if (plan.held && !clear_capabilities()) return "dropping capabilities";
  if (plan.held) umask(022);
  if (plan.keeper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return "adopting processes";
  if (prctl(PR_SET_PDEATHSIG, plan.keeper ? SIGTERM : SIGKILL, 0, 0, 0) != 0)
    return "asking for the parent's death";
  if (plan.held && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "refusing privileges";
  if (layers.landlock && !wall_paths(plan)) return "Landlock";
  if (!set_limits(plan)) return "setting limits";
  reset_signals();
  if (layers.filter && !filter_calls(plan.filter)) return "filtering system calls";
  execve(plan.command[0], plan.command.data(), plan.environment.data());
  return "executing";
}

}  // namespace

int namespace_flags(const Layers& layers) {
  if (!layers.namespaces) return 0;
  const int user = layers.user_namespace ? CLONE_NEWUSER : 0;
  return user | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
}

int become_program(const ChildPlan& plan, ChildFailure& failure) {
  const char* step = wall_in(plan);
  failure.error = errno;
  failure.step = step;
  return 127;
}

}  // namespace aha
