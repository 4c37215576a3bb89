#include "trainer/comm/launcher.h"

#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "trainer/core/clock.h"
#include "trainer/core/log.h"

using namespace aha;
using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

/// A launcher under way in a process of its own: `ranks` shells that run `script`.
class Launched {
 public:
  Launched(int ranks, const std::string& script, double grace_s = 20) {
    pid_ = fork();
    if (pid_ != 0) return;
    redirect("out", STDOUT_FILENO);
    redirect("err", STDERR_FILENO);
    setenv("FILES", files_.path().c_str(), 1);
    init_log(false);
    _exit(launch({{"/bin/sh", "-c", script}, ranks, grace_s}));
  }

  void signal(int number) const { kill(pid_, number); }

  Ended wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return {code, slurp(files_ / "out"), slurp(files_ / "err")};
  }

  std::string file(const std::string& name) const { return slurp(files_ / name); }

  void make_file(const std::string& name) const { spill(files_ / name, ""); }

  /// Waits until `count` lines are in $FILES/`name`.
  bool has_lines(const std::string& name, int count) const {
    return eventually([&] {
      const auto text = file(name);
      return std::count(text.begin(), text.end(), '\n') >= count;
    });
  }

  template <class Condition>
  static bool eventually(const Condition& condition) {
    for (int i = 0; i < 4000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(Millis(5));
    }
    return false;
  }

 private:
  void redirect(const char* name, int to) const {
    dup2(open((files_ / name).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), to);
  }

  TempFolder files_;
  pid_t pid_ = -1;
};

Ended run(int ranks, const std::string& script, double grace_s = 20) {
  return Launched(ranks, script, grace_s).wait();
}

/// Nobody of the processes whose ids are the lines of `text` is left (a zombie of init's counts as gone).
bool all_gone(const std::string& text) {
  std::istringstream lines(text);
  for (std::string pid; std::getline(lines, pid);) {
    const auto state = slurp("/proc/" + pid + "/stat");
    const auto name_end = state.rfind(')');
    if (name_end != std::string::npos && state.at(name_end + 2) != 'Z') return false;
  }
  return true;
}

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("launcher: each rank finds torchrun's variables, with one port for all") {
  const auto end = run(3,
                       "echo $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE $MASTER_ADDR; "
                       "echo $MASTER_PORT $TORCHELASTIC_RUN_ID >> $FILES/ports");
  CHECK(end.code == 0);
  CHECK(end.err == "");
  for (const char* line :
       {"0 3 0 3 127.0.0.1\n", "[1] 1 3 1 3 127.0.0.1\n", "[2] 2 3 2 3 127.0.0.1\n"})
    CHECK_THAT(end.out, contains(line));
  Launched again(3, "echo $MASTER_PORT $TORCHELASTIC_RUN_ID >> $FILES/ports");
  again.wait();
  const auto ports = again.file("ports");
  const auto first = ports.substr(0, ports.find('\n') + 1);
  CHECK(std::stoi(first) > 1023);
  CHECK(ports == first + first + first);
}

TEST_CASE("launcher: rank 0 inherits a socket that listens at the port of the start, alone") {
  // /proc/net/tcp: local address, ..., state (0A: listens), ..., inode
  const auto end =
      run(2,
          "port=$(printf '0100007F:%04X' $MASTER_PORT); "
          "inode=$(awk -v port=$port '$2 == port && $4 == \"0A\" {print $10}' /proc/net/tcp); "
          "echo has $(ls -l /proc/$$/fd | grep -c \"socket:.$inode.\") of ${inode:+one} "
          "in ${AHA_LISTENER:+its variable}; sleep 0.2");
  CHECK_THAT(end.out, contains("has 1 of one in its variable\n"));
  CHECK_THAT(end.out, contains("[1] has 0 of one in\n"));
}

TEST_CASE("launcher: lines of other ranks are prefixed whole, on the stream they came on") {
  // parts of a line arrive apart, and the last one has no end
  const auto end =
      run(2, "[ $RANK = 0 ] && exit; printf ab; sleep 0.1; printf 'c\\nd'; echo e >&2");
  CHECK_THAT(end.out, contains("[1] abc\n") && contains("[1] d\n"));
  CHECK_THAT(end.err, contains("[1] e\n"));
  CHECK(count_of(end.out, "[1]") == 2);
  CHECK(run(2, "[ $RANK = 1 ] || printf 'a\\nb'").out == "a\nb");  // rank 0's are as they are
}

TEST_CASE("launcher: a megabyte of lines and a line without end come through") {
  const auto end =
      run(2,
          "[ $RANK = 0 ] || { yes 0123456789 | head -n 100000; head -c 200000 /dev/zero | "
          "tr '\\0' x; }");
  CHECK(end.code == 0);
  CHECK(count_of(end.out, "[1] 0123456789\n") == 100000);
  CHECK(count_of(end.out, "[1] xxx") == 4);
  CHECK(count_of(end.out, "x") == 200000);
}

TEST_CASE("launcher: ranks read nothing from standard input") {
  CHECK(run(2, "read line && exit 9; exit 0").code == 0);
}

TEST_CASE("launcher: a rank that fails ends the others, and its code and rank are said") {
  const auto end =
      run(3, "trap 'exit 85' TERM; [ $RANK = 1 ] && exit 2; while :; do sleep 0.02; done");
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("rank 1 of 3 failed first: exit code 2; ending the other 2"));
}

TEST_CASE("launcher: a rank that was killed means try again, one that crashed means a bug") {
  const auto killed = run(2, "[ $RANK = 1 ] && kill -9 $$; sleep 60");
  CHECK(killed.code == 75);
  CHECK_THAT(killed.err, contains("rank 1 of 2 failed first: ended by signal 9 (Killed)"));
  CHECK(run(2, "[ $RANK = 0 ] && kill -SEGV $$; sleep 60").code == 70);
}

TEST_CASE("launcher: the rank that says why goes before those that lost it") {
  Launched ranks(3,
                 "echo $$ >> $FILES/pids; while [ ! -e $FILES/go ]; do sleep 0.02; done; "
                 "[ $RANK = 1 ] && exit 2; exit 75");
  REQUIRE(ranks.has_lines("pids", 3));
  ranks.signal(SIGSTOP);  // all have ended when it looks: who was first is not to be seen
  ranks.make_file("go");
  REQUIRE(Launched::eventually([&] { return all_gone(ranks.file("pids")); }));
  ranks.signal(SIGCONT);
  const auto end = ranks.wait();
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("rank 1 of 3 failed first: exit code 2"));
  CHECK(run(3, "[ $RANK = 2 ] && exit 75; sleep 60").code == 75);
}

TEST_CASE(
    "launcher: a rank that ignores SIGTERM is killed after the grace time, with its children") {
  const auto start = Clock::now();
  Launched ranks(
      2,
      "trap '' TERM; sleep 60 & echo $! >> $FILES/pids; [ $RANK = 1 ] && sleep 0.3 && exit 70; "
      "while :; do sleep 0.05; done",
      0.5);
  const auto end = ranks.wait();
  CHECK(end.code == 70);
  CHECK(seconds_since(start) >= 0.5);
  CHECK(seconds_since(start) < 20);
  CHECK(Launched::eventually([&] { return all_gone(ranks.file("pids")); }));
}

TEST_CASE("launcher: when it is killed, so are its ranks") {
  Launched ranks(3, "trap '' TERM INT; echo $$ >> $FILES/pids; while :; do sleep 0.02; done");
  REQUIRE(ranks.has_lines("pids", 3));
  ranks.signal(SIGKILL);
  CHECK(ranks.wait().code == 128 + SIGKILL);
  CHECK(Launched::eventually([&] { return all_gone(ranks.file("pids")); }));
}

TEST_CASE("launcher: signals reach every rank, a second one too; a stop is exit 85") {
  const std::string script =
      "n=0; trap 'n=$((n + 1)); echo $n >> $FILES/signals.$RANK; [ $n = 2 ] && exit 85' INT TERM "
      "USR1 USR2; "
      "echo up >> $FILES/up; while :; do sleep 0.02; done";
  for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) {
    Launched ranks(2, script);
    REQUIRE(ranks.has_lines("up", 2));
    ranks.signal(number);
    REQUIRE(ranks.has_lines("signals.0", 1));
    REQUIRE(ranks.has_lines("signals.1", 1));
    ranks.signal(number);
    const auto end = ranks.wait();
    CHECK(end.code == 85);
    CHECK(end.err == "");
    CHECK(ranks.file("signals.1") == "1\n2\n");
  }
}

TEST_CASE("launcher: ranks that a signal ended answer as a shell does") {
  Launched ranks(2, "echo up >> $FILES/up; while :; do sleep 0.02; done");
  REQUIRE(ranks.has_lines("up", 2));
  ranks.signal(SIGINT);
  CHECK(ranks.wait().code == 128 + SIGINT);
}

TEST_CASE("launcher: a stop with a checkpoint is no failure, whoever ends first") {
  const auto end = run(3, "[ $RANK = 1 ] && exit 85; sleep 0.2; [ $RANK = 0 ] && exit 85; exit 0");
  CHECK(end.code == 85);
  CHECK(end.err == "");
}

TEST_CASE("launcher: what a rank leaves running when it ends is killed") {
  Launched ranks(2, "sleep 60 >/dev/null 2>&1 & echo $! >> $FILES/pids");
  CHECK(ranks.wait().code == 0);
  CHECK(Launched::eventually([&] { return all_gone(ranks.file("pids")); }));
}

TEST_CASE("launcher: a program that is not there fails as in a shell") {
  CHECK(launch({{"/no/such/program"}, 1, 1.0}) == 127);
}
