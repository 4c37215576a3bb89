#include "rewards/sandbox/system_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace aha {
namespace {

const char* const kCompute[] = {"access",
                                "alarm",
                                "arch_prctl",
                                "brk",
                                "chdir",
                                "clock_getres",
                                "clock_gettime",
                                "clock_nanosleep",
                                "close",
                                "close_range",
                                "dup",
                                "dup2",
                                "dup3",
                                "epoll_create1",
                                "epoll_ctl",
                                "epoll_pwait",
                                "epoll_wait",
                                "eventfd2",
                                "execve",
                                "exit",
                                "exit_group",
                                "faccessat",
                                "faccessat2",
                                "fadvise64",
                                "fstat",
                                "fstatfs",
                                "futex",
                                "getcwd",
                                "getdents64",
                                "getegid",
                                "geteuid",
                                "getgid",
                                "getgroups",
                                "getitimer",
                                "getpgrp",
                                "getpid",
                                "getppid",
                                "getrandom",
                                "getresgid",
                                "getresuid",
                                "getrlimit",
                                "getrusage",
                                "gettid",
                                "gettimeofday",
                                "getuid",
                                "lseek",
                                "lstat",
                                "madvise",
                                "membarrier",
                                "mmap",
                                "mprotect",
                                "mremap",
                                "munmap",
                                "nanosleep",
                                "newfstatat",
                                "open",
                                "openat",
                                "pause",
                                "pipe",
                                "pipe2",
                                "poll",
                                "ppoll",
                                "pread64",
                                "preadv",
                                "pselect6",
                                "pwrite64",
                                "pwritev",
                                "read",
                                "readlink",
                                "readlinkat",
                                "readv",
                                "restart_syscall",
                                "rseq",
                                "rt_sigaction",
                                "rt_sigpending",
                                "rt_sigprocmask",
                                "rt_sigreturn",
                                "rt_sigsuspend",
                                "rt_sigtimedwait",
                                "sched_getaffinity",
                                "sched_getparam",
                                "sched_getscheduler",
                                "sched_yield",
                                "select",
                                "set_robust_list",
                                "set_tid_address",
                                "setitimer",
                                "sigaltstack",
                                "stat",
                                "statfs",
                                "statx",
                                "sysinfo",
                                "time",
                                "times",
                                "umask",
                                "uname",
                                "write",
                                "writev"};

const char* const kCompile[] = {
    "chmod",     "copy_file_range", "fallocate", "fchmod",    "fchmodat",   "flock",
    "fork",      "fsync",           "ftruncate", "link",      "linkat",     "mkdir",
    "mkdirat",   "msync",           "rename",    "renameat",  "renameat2",  "rmdir",
    "sendfile",  "setpgid",         "symlink",   "symlinkat", "unlink",     "unlinkat",
    "utimensat", "vfork",           "wait4",     "waitid",    "getpriority"};

/// Others could be signalled by F_SETOWN and F_SETSIG.
constexpr std::uint64_t kFcntl[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC};
constexpr std::uint64_t kIoctl[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
constexpr std::uint64_t kPrctl[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */};

constexpr std::uint64_t kNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                                      CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;

/// Calls that this machine does not have need no rule.
template <class... Conditions>
void allow(const Filter& filter, const char* name, Conditions... conditions) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number != __NR_SCMP_ERROR)
    seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, sizeof...(conditions), conditions...);
}

scmp_arg_cmp argument_is(unsigned index, std::uint64_t value) {
  return {.arg = index, .op = SCMP_CMP_EQ, .datum_a = value, .datum_b = 0};
}

/// Limits are asked for, not set: at one of its own a program could have itself killed.
scmp_arg_cmp nothing_set(unsigned index) {
  return argument_is(index, 0);
}

scmp_arg_cmp flags_are(std::uint64_t mask, std::uint64_t value) {
  return {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/// What the kernel is to be given.
std::vector<sock_filter> exported(const Filter& filter) {
  std::vector<sock_filter> program;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return program;
  // a filter of a few hundred calls is smaller than a pipe holds
  const bool done = seccomp_export_bpf(filter.get(), ends[1]) == 0;
  close(ends[1]);
  for (sock_filter line{}; done && read(ends[0], &line, sizeof line) == sizeof line;)
    program.push_back(line);
  close(ends[0]);
  return program;
}

}  // namespace

std::vector<sock_filter> system_call_filter(SandboxRole role) {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), seccomp_release);
  if (!filter) return {};
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (const char* name : kCompute)
    allow(filter, name);
  for (const auto command : kFcntl)
    allow(filter, "fcntl", argument_is(1, command));
  for (const auto request : kIoctl)
    allow(filter, "ioctl", argument_is(1, request));
  for (const auto option : kPrctl)
    allow(filter, "prctl", argument_is(0, option));
  allow(filter, "prlimit64", argument_is(0, 0), nothing_set(2));
  if (role == SandboxRole::Compiler) {
    for (const char* name : kCompile)
      allow(filter, name);
    allow(filter, "clone", flags_are(kNamespaces, 0));
  } else {
    allow(filter, "clone", flags_are(CLONE_THREAD | kNamespaces, CLONE_THREAD));
  }
  return exported(filter);
}

}  // namespace aha
