// What goes wrong among ranks: what the user sees of it, and that nothing is lost.
#include <netinet/in.h>
#include <sys/socket.h>

#include <limits>
#include <list>
#include <set>

#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"
#include "tests/support/eventually.h"
#include "tests/support/other_processes.h"
#include "tests/support/phase_trap.h"

using namespace aha_test;

namespace {

using Millis = std::chrono::milliseconds;

const fs::path kAha = fs::path(AHA_BINARY_DIR) / "aha";

const std::vector<std::string> kStrict = {"--set",           "strict=true", "--set",
                                          "train.threads=1", "--resume",    "auto"};

/// What a rank said of itself last, as rank 0 wrote it down.
aha::Json last_seen(const Job& job, Ranks& ranks, std::size_t rank) {
  const auto status = aha::Json::parse(slurp(job.run / "status.json"), nullptr, false);
  if (status.is_discarded() || status["pid"] != ranks[0].pid() || status["ranks"].size() <= rank)
    return {{"phase", ""}, {"operation", ""}};
  return status["ranks"][rank];
}

bool traps_work() {
  const auto why = PhaseTrap::missing(kAha);
  if (!why.empty()) WARN("skipped: " << why);
  return why.empty();
}

/// The bytes of a tensor.
std::string tensor_of(const fs::path& file, const std::string& name) {
  const auto bytes = slurp(file);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  const auto range =
      aha::Json::parse(bytes.substr(sizeof header, header)).at(name).at("data_offsets");
  const auto begin = range.at(0).get<std::size_t>();
  return bytes.substr(sizeof header + header + begin, range.at(1).get<std::size_t>() - begin);
}

std::string all_nan(std::size_t bytes) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at + sizeof nan <= bytes; at += sizeof nan)
    std::memcpy(&text[at], &nan, sizeof nan);
  return text;
}

}  // namespace

TEST_CASE("faults: a rank that is killed in any phase is named with it, and nothing is lost") {
  if (!traps_work()) return;
  /// A run of which rank `held` is held where it enters a phase. Rank 1 will be killed.
  struct Caught {
    Caught(std::size_t rank, const char* entered, const char* expected)
        : held(rank), entry(entered), phase(expected) {}
    const std::size_t held;
    const std::string entry;
    const std::string phase;  ///< that rank 1 is in then
    const Job job;
    Ranks ranks{2, job.command(kStrict)};
    PhaseTrap trap{ranks[held].pid(), kAha};
  };
  std::list<Caught> all;  // at once: most of the time is spent waiting for signs of life
  for (const char* phase : {"rollout", "reward", "backward", "reduce", "checkpoint"})
    all.emplace_back(1, phase, phase);
  // inside of a collective, too, which needs rank 0's gradient
  const Caught& waiting = all.emplace_back(0, "backward", "reduce");
  for (auto& caught : all)
    REQUIRE(caught.trap.reach(caught.entry));
  for (auto& caught : all)
    REQUIRE(eventually([&] {
      const auto seen = last_seen(caught.job, caught.ranks, 1);
      return seen["phase"] == caught.phase && (&caught != &waiting || seen["operation"] != "");
    }));
  for (auto& caught : all) {
    caught.ranks[1].signal(SIGKILL);
    if (caught.held == 0) caught.trap.release();
  }
  std::list<Ranks> again;
  for (auto& caught : all) {
    const auto ends = caught.ranks.wait();
    INFO(ends[0].err);
    CHECK(ends[1].code == 128 + SIGKILL);
    CHECK(ends[0].code == 75);
    const std::string place = &caught == &waiting ? "it waits in " : "it is in ";
    CHECK_THAT(ends[0].err, contains("rank 1 (") && contains(") gives no sign of life since ") &&
                                contains("; last seen, " + place) &&
                                contains(caught.phase + " of step "));
    again.emplace_back(2, caught.job.command(kStrict));
  }
  const Job whole;
  require_done(Ranks(2, whole.command(kStrict)).wait());
  for (auto& ranks : again)
    require_done(ranks.wait());
  for (const auto& caught : all)
    require_equal(outcome_of(caught.job.run), outcome_of(whole.run));
}

TEST_CASE("faults: a rank that lives but does not come is named with its phase, and who waits") {
  if (!traps_work()) return;
  const Job job("comm: {timeout_s: 3}\n");
  Ranks ranks(3, job.command(kStrict));
  PhaseTrap trap(ranks[2].pid(), kAha);
  REQUIRE(trap.reach("rollout"));
  const auto first = ranks[0].wait();
  trap.release();
  const auto second = ranks[1].wait();
  const auto third = ranks[2].wait();
  INFO(first.err);
  INFO(second.err);
  INFO(third.err);
  CHECK(first.code == 75);
  CHECK(second.code == 75);
  CHECK(third.code == 75);
  CHECK_THAT(first.err, contains("aha: gather_groups failed: rank 2 (") &&
                            contains(") is in rollout of step 5 since ") &&
                            contains(" s; ranks 0, 1 wait in gather_groups ["));
}

TEST_CASE("faults: when rank 0 is killed, the others say that they cannot reach it") {
  if (!traps_work()) return;
  const Job job;
  for (const std::string phase : {"reduce", "checkpoint"}) {
    Ranks ranks(3, job.command(kStrict));
    PhaseTrap trap(ranks[0].pid(), kAha);
    REQUIRE(trap.reach(phase));
    ranks[0].signal(SIGKILL);
    const auto ends = ranks.wait();
    for (const std::size_t r : {1, 2}) {
      INFO(ends[r].err);
      CHECK(ends[r].code == 75);
      CHECK_THAT(ends[r].err, contains("rank 0, where all ranks meet, cannot be reached"));
    }
  }
  require_done(Ranks(3, job.command(kStrict)).wait());
}

TEST_CASE("faults: a port that another program has is named, and no rank waits for ever") {
  const Job job("comm: {timeout_s: 1}\n");
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof address;
  REQUIRE(bind(other, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(other, 8) == 0);
  getsockname(other, reinterpret_cast<sockaddr*>(&address), &size);
  const auto port = std::to_string(ntohs(address.sin_port));
  Ranks ranks(2, job.command(),
              [&](int, Program::Options& options) { options.environment.back().second = port; });
  const auto ends = ranks.wait();
  close(other);
  for (const auto& end : ends) {
    INFO(end.err);
    CHECK(end.code == 75);
    CHECK_THAT(end.err, contains("127.0.0.1:" + port + " (MASTER_ADDR, MASTER_PORT)"));
  }
  CHECK_FALSE(fs::exists(job.run));
}

TEST_CASE("faults: a host that is none, or is not rank 0's, is named") {
  const Job job("comm: {timeout_s: 1}\n");
  struct Case {
    const char* host;
    const char* first;   ///< what rank 0 says
    const char* second;  ///< rank 1
  };
  const std::vector<Case> cases = {
      {"nowhere.invalid", "'nowhere.invalid' is no address that can be resolved",
       "'nowhere.invalid' is no address that can be resolved"},
      {"192.0.2.1", "rank 0 runs on ", ""}};
  std::list<Ranks> all;  // at once: they wait
  for (const auto& c : cases)
    all.emplace_back(2, job.command(), [&](int, Program::Options& options) {
      for (auto& [name, value] : options.environment)
        if (name == "MASTER_ADDR") value = c.host;
    });
  for (const auto& c : cases) {
    const auto ends = all.front().wait();
    all.pop_front();
    INFO(ends[0].err);
    INFO(ends[1].err);
    CHECK(ends[0].code == 75);
    CHECK(ends[1].code == 75);
    CHECK_THAT(ends[0].err, contains("aha: rank 0 cannot serve at " + std::string(c.host) + ":") &&
                                contains(" (MASTER_ADDR, MASTER_PORT): " + std::string(c.first)));
    CHECK_THAT(ends[1].err, contains("aha: rank 1 cannot reach rank 0 at " + std::string(c.host)) &&
                                contains(" (MASTER_ADDR, MASTER_PORT): " + std::string(c.second)));
    CHECK(ends[1].err.find('\n') == ends[1].err.size() - 1);  // one line
  }
  CHECK_FALSE(fs::exists(job.run));
}

TEST_CASE("faults: another program on one rank is refused before anything is written") {
  const Job job;
  const auto program = job.folder / "aha";
  fs::copy_file(kAha, program);
  std::ofstream(program, std::ios::app) << '\n';
  const auto ends = Ranks(2, job.command(), [&](int rank, Program::Options& options) {
                      if (rank == 1) options.program = program;
                    }).wait();
  for (const auto& end : ends) {
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("the program: rank 1 has aha ") && contains(", rank 0 has aha "));
  }
  CHECK_FALSE(fs::exists(job.run));
}

TEST_CASE("faults: a rank that the store's connection is cut from ends, and so does the run") {
  const Job job;
  Ranks ranks(2, job.command({"--set", "stages.grpo.train.max_steps=100000"}));
  REQUIRE(ranks[0].says("grpo 2/", Millis(20'000)));
  const int cut = cut_connections(ranks[1].pid(), ranks.port());
  if (cut < 0) {
    WARN("skipped: descriptors of another process are out of reach here");
    ranks.signal_all(SIGKILL);
    ranks.wait();
    return;
  }
  CHECK(cut == 2);  // one for questions, one for heartbeats
  const auto ends = ranks.wait();
  INFO(ends[0].err);
  INFO(ends[1].err);
  CHECK(ends[0].code == 75);
  CHECK(ends[1].code == 75);
  CHECK_THAT(ends[0].err, contains("aha: ") && contains("rank 1 ("));
  CHECK_THAT(ends[1].err, contains("rank 0, where all ranks meet, cannot be reached"));
}

TEST_CASE("faults: NaN on one rank stops the step on all, and nothing before it is lost") {
  if (!traps_work()) return;
  const Job broken;
  auto command = broken.command(kStrict);
  command.insert(command.end(), {"--set", "checkpoint.async=false"});
  Ranks ranks(2, command);
  PhaseTrap trap(ranks[1].pid(), kAha);
  const auto saved = broken.run / "checkpoints" / "step_1" / "model.safetensors";
  do
    REQUIRE(trap.reach("forward"));
  while (!fs::exists(saved));
  const auto norm = tensor_of(saved, "model.norm.weight");
  REQUIRE(trap.overwrite(norm, all_nan(norm.size())) > 0);
  trap.release();
  for (const auto& end : ranks.wait()) {
    INFO(end.err);
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("is not finite; the step was refused and the last good state is "
                                 "saved. Prompts of that "));
  }
  const auto state = slurp(broken.run / "latest" / "trainer_state.json");
  CHECK(aha::Json::parse(state).at("step") == 1);
  require_done(Ranks(2, command).wait());
  const Job whole;
  command = whole.command(kStrict);
  command.insert(command.end(), {"--set", "checkpoint.async=false"});
  require_done(Ranks(2, command).wait());
  require_equal(outcome_of(broken.run), outcome_of(whole.run));
}

TEST_CASE("faults: a reward's process that is killed once costs no score") {
  const auto score = [](int kills) {
    Program::Options options;
    options.input =
        R"({"completion": "```python\ndef f(x):\n    import time; time.sleep(0.3)\n    return x\n```", "tests": ["assert f(1) == 1"]})"
        "\n";
    Program program({"score", "--reward", "code", "-"}, options);
    std::set<pid_t> killed;
    eventually([&] {
      const auto judge = child_of(program.pid(), "judge.py");
      if (judge && std::ssize(killed) < kills && killed.insert(*judge).second)
        ::kill(*judge, SIGKILL);
      return program.ended();
    });
    const auto end = program.wait();
    INFO(end.err);
    CHECK(std::ssize(killed) == kills);
    REQUIRE(end.code == 0);
    return aha::Json::parse(end.out);
  };
  const auto plain = score(0);
  if (plain.at("outcome") == "unjudged") {
    WARN("skipped: " << plain.at("reason"));
    return;
  }
  CHECK(plain.at("score") == 1);
  CHECK(score(1).at("score") == 1);
  // else whoever can bring it about would choose to go unjudged
  const auto twice = score(2);
  CHECK(twice.at("score") == 0);
  CHECK_THAT(twice.at("reason").get<std::string>(), contains("killed, twice"));
}
