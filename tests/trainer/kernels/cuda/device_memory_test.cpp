// The pretended device's memory: what no GPU would take ends the program.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>

#include "tests/support/catch.h"
#include "tests/trainer/kernels/cuda/gpu.h"
#include "trainer/kernels/device_ops.h"

using namespace aha_test;

namespace {

/// Runs `body` as a process and returns whether a signal ended it.
bool ends(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : {SIGABRT, SIGBUS, SIGSEGV})
      signal(number, SIG_DFL);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);  // what ends it, too
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

constexpr Index kBytes = 4096 + 64;

char* allocated() {
  return static_cast<char*>(gpu_ops()->memory->allocate(kBytes));
}

void zero(char* memory, Index bytes) {
  gpu_ops()->zero({}, memory, bytes);
  gpu_ops()->device->wait(gpu_ops()->device->mark());
}

/// Reads and writes it, whether it may or not.
void touch(char* memory) {
  volatile char* byte = memory;
  *byte = static_cast<char>(*byte + 1);
}

}  // namespace

TEST_CASE("device memory: a call reaches all of it and nothing beside it") {
  CHECK_FALSE(ends([] { zero(allocated(), kBytes); }));
  CHECK(ends([] { zero(allocated(), kBytes + 1); }));
  CHECK(ends([] {
    char* const first = allocated();
    allocated();
    zero(first, kBytes + 1);
  }));
  CHECK(ends([] {
    allocated();
    zero(allocated() - kBytes, 1);
  }));
}

TEST_CASE("device memory: the program cannot touch it, before and after it was open") {
  CHECK(ends([] { touch(allocated()); }));
  CHECK(ends([] {
    char* const memory = allocated();
    zero(memory, kBytes);
    touch(memory);
  }));
}

TEST_CASE("device memory: what was released is no memory, whatever is allocated afterwards") {
  const auto released = [] {
    allocated();
    char* const memory = allocated();
    zero(memory, kBytes);
    gpu_ops()->memory->release(memory);
    for (int i = 0; i < 100; ++i)
      allocated();
    return memory;
  };
  CHECK_FALSE(ends([&] { released(); }));
  CHECK(ends([&] { touch(released()); }));
  CHECK(ends([&] { zero(released(), 1); }));
  CHECK(ends([&] { gpu_ops()->memory->release(released()); }));
}

TEST_CASE("device memory: a kernel takes pointers to it and no others") {
  const auto widen = [](const void* from, void* to) {
    gpu_ops()->widen({}, from, aha::FloatType::BF16, 8, static_cast<float*>(to));
  };
  static float of_the_program[8];
  CHECK_FALSE(ends([&] { widen(allocated(), allocated()); }));
  CHECK(ends([&] { widen(of_the_program, allocated()); }));
  CHECK(ends([&] { widen(allocated(), of_the_program); }));
}
