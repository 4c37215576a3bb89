// What a sandbox has to hold: a program that tries one thing, named by its first argument. It says
// "got away" when it worked, and exits with 0 all the same.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every unistd.h

namespace {

int got_away(bool done) {
  puts(done ? "got away" : "held");
  return 0;
}

void* sleeper(void* /*unused*/) {
  sleep(1000);
  return nullptr;
}

int forks() {
  for (int i = 0; i < 100000; ++i)
    if (fork() >= 0) return got_away(true);
  return got_away(false);
}

int threads() {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  pthread_t thread;
  int count = 0;
  while (count < 20000 && pthread_create(&thread, &small, sleeper, nullptr) == 0)
    ++count;
  printf("%d threads\n", count);
  fflush(stdout);
  _exit(0);
}

int memory() {
  for (int i = 0; i < 1000; ++i) {
    char* block = static_cast<char*>(malloc(64 << 20));
    if (block == nullptr) return got_away(false);
    memset(block, 1, 64 << 20);  // NOLINT(clang-analyzer-unix.Malloc): all of it is to be held
  }
  return got_away(true);
}

int writes(const char* path) {
  const int file = open(path, O_CREAT | O_WRONLY, 0644);
  const bool made = file >= 0 && write(file, "x", 1) == 1;
  const bool other = mkdir(path, 0755) == 0 || chmod(path, 0777) == 0 || unlink(path) == 0 ||
                     truncate(path, 0) == 0;
  return got_away(made || other);
}

int network() {
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  const int local = socket(AF_UNIX, SOCK_STREAM, 0);
  return got_away(file >= 0 || local >= 0);
}

int signals(pid_t other) {
  bool done = kill(other, SIGKILL) == 0 || kill(-1, SIGKILL) == 0;
  done = done || syscall(SYS_tgkill, other, other, SIGKILL) == 0;
  done = done || syscall(SYS_tkill, other, SIGKILL) == 0;
  done = done || ptrace(PTRACE_ATTACH, other, nullptr, nullptr) == 0;
  int ends[2];
  done = done || (pipe(ends) == 0 && fcntl(ends[0], F_SETOWN, other) == 0 &&
                  fcntl(ends[0], F_SETSIG, SIGKILL) == 0);
  return got_away(done);
}

/// Every way to be killed by a signal that looks like someone else's.
int kills_itself() {
  constexpr rlimit kShort{1, 1};
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  const pid_t self = getpid();
  const auto by_call = [](auto... arguments) { return syscall(arguments...) >= 0; };
  bool done = setrlimit(RLIMIT_CPU, &kShort) == 0 || by_call(SYS_setrlimit, RLIMIT_CPU, &kShort) ||
              by_call(SYS_prlimit64, 0, RLIMIT_CPU, &kShort, nullptr) ||
              by_call(SYS_prlimit64, self, RLIMIT_CPU, &kShort, nullptr);
  done = done || raise(SIGKILL) == 0 || kill(self, SIGKILL) == 0 || kill(0, SIGKILL) == 0 ||
         by_call(SYS_tkill, self, SIGKILL) || by_call(SYS_tgkill, self, self, SIGKILL) ||
         by_call(SYS_rt_sigqueueinfo, self, SIGKILL, &info) ||
         by_call(SYS_rt_tgsigqueueinfo, self, self, SIGKILL, &info);
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, self, 0));
  done = done || descriptor >= 0 || by_call(SYS_pidfd_send_signal, 0, SIGKILL, nullptr, 0);
  done = done || timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 ||
         by_call(SYS_mq_notify, 0, &event) || fcntl(0, F_SETSIG, SIGKILL) == 0 ||
         fcntl(0, F_SETOWN, self) == 0;
  done = done || prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 || prctl(PR_SET_SECCOMP, 1, nullptr) == 0 ||
         by_call(SYS_seccomp, 0, 0, nullptr) || by_call(SYS_seccomp, 1, 0, nullptr);
  // the signal of a child's end
  done = done || by_call(SYS_clone, SIGKILL, nullptr, nullptr, nullptr, nullptr) ||
         ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0;
  return got_away(done);
}

/// A stack without end.
int deep(int turns) {
  volatile char held[4096];
  held[turns % 4096] = 1;
  return deep(turns + 1) + held[turns % 4096];
}

/// exit, of the calls that 32-bit programs have.
int other_calls() {
#if defined(__x86_64__)
  asm volatile("int $0x80" ::"a"(1), "b"(0));
#endif
  return got_away(true);
}

int reads(const char* path) {
  const int file = open(path, O_RDONLY);
  char text[4096];
  const auto size = file < 0 ? 0 : read(file, text, sizeof text);
  return got_away(size > 0);
}

int escapes() {
  const bool namespaces = unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0;
  const bool files = memfd_create("x", 0) >= 0;
  const bool root = setuid(0) == 0 || chroot(".") == 0;
  return got_away(namespaces || files || root);
}

/// What was inherited: the environment's names, files beyond the three, arguments.
int inherited(int arguments) {
  for (char** entry = environ; *entry != nullptr; ++entry)
    printf("%s\n", *entry);
  int open_files = 0;
  for (int file = 3; file < 1024; ++file)
    open_files += fcntl(file, F_GETFD) >= 0 ? 1 : 0;
  printf("%d files, %d arguments\n", open_files, arguments);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const char* what = arguments[1];
  const auto is = [what](const char* name) { return strcmp(what, name) == 0; };
  if (is("fork")) return forks();
  if (is("threads")) return threads();
  if (is("memory")) return memory();
  if (is("network")) return network();
  if (is("escape")) return escapes();
  if (is("inherited")) return inherited(count);
  if (is("write")) return writes(arguments[2]);
  if (is("read")) return reads(arguments[2]);
  if (is("signal")) return signals(atoi(arguments[2]));
  if (is("kill")) return kills_itself();
  if (is("deep")) return deep(0);
  if (is("other calls")) return other_calls();
  if (is("crash")) abort();
  if (is("exit")) return 3;
  if (is("echo"))
    for (int c = getchar(); c != EOF; c = getchar())
      putchar(c);
  if (is("sleep")) sleep(1000);
  if (is("spin"))
    for (volatile long turns = 0;;)
      turns = turns + 1;
  if (is("output"))
    for (;;)
      puts("again");
  if (is("complain"))
    for (;;)
      fputs("again and again and again\n", stderr);
  return 0;
}
