// An update's collectives between processes of this machine, beside what the cost model says of them:
// bench_collectives [RANKS [MILLIONS OF PARAMETERS [ROUNDS]]], ranks that send and ranks that fetch from each other's memory.
// Bytes are those of the loopback interface, with
// headers: run it where nothing else uses that (unshare -rn sh -c "ip link set lo up; exec bench_collectives").
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "scripts/bench/timing.h"
#include "trainer/comm/communicator.h"
#include "trainer/comm/listener.h"
#include "trainer/run/cost_model.h"

namespace {

using namespace aha;

/// Bytes that the loopback interface has carried.
double loopback_bytes() {
  std::ifstream file("/proc/net/dev");
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find("lo:"); at != std::string::npos)
      return std::strtod(line.c_str() + at + 3, nullptr);
  return 0;
}

/// One update's reduction and sharing by the model.
PhaseCost predicted(std::int64_t parameters, int ranks) {
  ModelSize model;
  model.parameters = parameters;
  StepWork work;
  work.prompts = work.generations = 1;
  work.micro_rows = work.decode_rows = 1;
  PhaseCost sum;
  for (const auto& phase :
       step_costs(model, work, {machine_kind("cpu"), ranks, ranks}, Zero::Moments))
    if (phase.name == "reduce" || phase.name == "share") {
      sum.sent_bytes += phase.sent_bytes;
      sum.seconds += phase.seconds;
    }
  return sum;
}

void measure(Communicator& comm, std::int64_t parameters, int rounds) {
  std::vector<float> values(static_cast<std::size_t>(parameters), 1e-3F);
  const auto slices = shards_of(parameters, comm.size());
  std::vector<float> room(static_cast<std::size_t>(comm.room_for(slices)));
  const auto update = [&] {
    comm.wait(comm.reduce_to_owners(values.data(), slices, room.data(), "reduce"));
    comm.wait(comm.share_from_owners(values.data(), slices, "share"));
  };
  update();
  std::vector<double> seconds;
  comm.barrier("start");
  const double before = loopback_bytes();
  for (int i = 0; i < rounds; ++i) {
    comm.barrier("round");
    seconds.push_back(aha_bench::seconds_of(update));
  }
  comm.barrier("end");
  const double bytes = (loopback_bytes() - before) / rounds;
  if (!comm.leads()) return;
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  const PhaseCost model = predicted(parameters, comm.size());
  const double sent = comm.among_neighbours() ? 0 : model.sent_bytes * comm.size();
  fmt::print(
      "{:>5} {:>11} {:>8} {:>10.2f} {:>10.2f} {:>6.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>6.2f}\n",
      comm.size(), parameters, comm.among_neighbours() ? "fetched" : "sent", bytes / 1e6,
      sent / 1e6, sent > 0 ? sent / bytes : 0.0, 1000 * seconds.front(), 1000 * median,
      1000 * model.seconds, model.seconds / median);
}

void run_on(int ranks, std::int64_t parameters, int rounds, bool fetched) {
  std::fflush(stdout);
  Placement placement;
  placement.world_size = ranks;
  Listener listener;
  placement.master_port = listener.port();
  std::vector<pid_t> others;
  for (int r = 1; r < ranks && placement.rank == 0; ++r) {
    const pid_t child = fork();
    if (child == 0)
      placement.rank = r;
    else
      others.push_back(child);
  }
  if (placement.rank == 0) placement.listener = listener.give();
  listener.close();
  {
    Communicator comm(placement, {});
    if (fetched) comm.join_neighbours();
    measure(comm, parameters, rounds);
    comm.finish();
  }
  std::fflush(stdout);
  if (placement.rank > 0) std::_Exit(0);
  for (const pid_t pid : others)
    ::waitpid(pid, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, double otherwise) {
    return argc > i ? std::strtod(argv[i], nullptr) : otherwise;
  };
  fmt::print(
      "ranks  parameters      way   MB on lo      model  ratio  least ms median ms     model  "
      "ratio\n");
  for (const bool fetched : {false, true})
    run_on(static_cast<int>(number(1, 2)), static_cast<std::int64_t>(1e6 * number(2, 1)),
           static_cast<int>(number(3, 9)), fetched);
  return 0;
}
