// What tests of faults stand on: nothing is left behind, and what a machine does not allow is found before.
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>

#include "tests/end_to_end/outcome.h"
#include "tests/support/eventually.h"
#include "tests/support/namespaces.h"
#include "tests/support/other_processes.h"
#include "tests/support/phase_trap.h"

using namespace aha_test;

namespace {

const fs::path kAha = fs::path(AHA_BINARY_DIR) / "aha";

bool lives(pid_t pid) {
  return kill(pid, 0) == 0 || errno != ESRCH;
}

/// As in a container whose filter refuses it. From then on, for this process.
bool refuse_ptrace() {
  sock_filter lines[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(lines), lines};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

TEST_CASE("support: a program that nobody waits for ends, and its ranks do") {
  const Job job;
  std::vector<pid_t> ranks;
  pid_t launcher = 0;
  {
    Program program(job.command({"--nproc", "2", "--set", "stages.grpo.train.max_steps=100000"}));
    launcher = program.pid();
    REQUIRE(program.says("grpo 1/", std::chrono::milliseconds(20'000)));
    ranks = children_of(launcher);
    CHECK(ranks.size() == 2);
  }
  CHECK_FALSE(lives(launcher));
  for (const auto rank : ranks)
    CHECK(eventually([rank] { return !lives(rank); }));
}

#if defined(__x86_64__)
TEST_CASE("support: where no breakpoint can be set, that is said before one is needed") {
  CHECK_THAT(PhaseTrap::missing("/bin/sh"), contains("nm finds no constructor of aha::Phase"));
  if (!allowed(refuse_ptrace)) {
    WARN("skipped: no filters of system calls are allowed here");
    return;
  }
  CHECK(allowed(
      [] { return refuse_ptrace() && PhaseTrap::missing(kAha) == "ptrace is not allowed"; }));
}
#endif
