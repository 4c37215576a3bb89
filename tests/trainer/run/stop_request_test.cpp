#include "trainer/run/stop_request.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/support/catch.h"

using aha::StopRequest;

TEST_CASE("stop request: the same stop told twice at once is one wish") {
  const StopRequest request;
  CHECK_FALSE(StopRequest::wanted());
  std::raise(SIGUSR1);
  std::raise(SIGUSR1);
  std::raise(SIGTERM);
  CHECK(StopRequest::signal() == SIGUSR1);
}

TEST_CASE("stop request: a second signal later ends the process") {
  const pid_t child = fork();
  if (child == 0) {
    const StopRequest request;
    std::raise(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    std::raise(SIGINT);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}
