// log.trace: what the ranks of build/aha did, as a file.
#include <algorithm>
#include <map>
#include <set>

#include "tests/end_to_end/outcome.h"
#include "tests/end_to_end/started_ranks.h"

using namespace aha_test;

namespace {

struct Slice {
  double begin, end;
  std::string name;
};

using Tracks = std::map<std::pair<int, int>, std::vector<Slice>>;

Tracks tracks_of(const aha::Json& trace) {
  Tracks tracks;
  for (const auto& event : trace)
    if (event.at("ph") == "X") {
      const double begin = event.at("ts");
      tracks[{event.at("pid"), event.at("tid")}].push_back(
          {begin, begin + event.at("dur").get<double>(), event.at("name")});
    }
  return tracks;
}

/// Each slice is inside of those that it begins in: what a viewer needs, or it cuts.
void require_nested(std::vector<Slice> slices) {
  std::stable_sort(slices.begin(), slices.end(),
                   [](const Slice& a, const Slice& b) { return a.begin < b.begin; });
  constexpr double kRounding = 1e-3;
  std::vector<double> open;
  for (const auto& slice : slices) {
    INFO(slice.name << " at " << slice.begin);
    REQUIRE(slice.end >= slice.begin);
    while (!open.empty() && open.back() <= slice.begin + kRounding)
      open.pop_back();
    if (!open.empty()) REQUIRE(slice.end <= open.back() + kRounding);
    open.push_back(slice.end);
  }
}

/// How many sums of a rank ran beside its backward passes, that is, had time in common with one; each has an end.
int beside_backward(const aha::Json& trace, int rank, const std::vector<Slice>& phases) {
  std::map<std::string, double> open;
  int count = 0;
  for (const auto& event : trace) {
    if (event.at("pid") != rank) continue;
    const double now = event.at("ph") == "M" ? 0.0 : event.at("ts").get<double>();
    if (event.at("ph") == "b") REQUIRE(open.emplace(event.at("id"), now).second);
    if (event.at("ph") != "e") continue;
    const auto begun = open.find(event.at("id"));
    REQUIRE(begun != open.end());
    if (event.at("name") == "reduce_gradients")
      count += std::any_of(phases.begin(), phases.end(), [&](const Slice& phase) {
        return phase.name == "backward" &&
               std::max(begun->second, phase.begin) < std::min(now, phase.end);
      });
    open.erase(begun);
  }
  CHECK(open.empty());
  return count;
}

std::set<std::string> names_of(const std::vector<Slice>& slices) {
  std::set<std::string> names;
  for (const auto& slice : slices)
    names.insert(slice.name);
  return names;
}

const std::vector<std::string> kTraced = {"--set",       "log.trace=true", "--set",
                                          "strict=true", "--set",          "train.threads=1"};

}  // namespace

TEST_CASE("trace: every rank's phases nest, its collectives are named, and the run's bytes stay") {
  const Job plain;
  require_done(
      Ranks(2, plain.command({"--set", "strict=true", "--set", "train.threads=1"})).wait());
  const Job traced;
  require_done(Ranks(2, traced.command(kTraced)).wait());
  require_equal(outcome_of(traced.run), outcome_of(plain.run));
  const auto trace = aha::read_json(traced.run / "trace_1.json");
  const auto tracks = tracks_of(trace);
  REQUIRE(tracks.size() == 4);  // two ranks, two tracks
  for (const auto& [place, slices] : tracks) {
    INFO("rank " << place.first << " track " << place.second);
    require_nested(slices);
  }
  for (const int rank : {0, 1}) {
    const auto phases = names_of(tracks.at({rank, 1}));
    for (const char* phase : {"loop", "rollout", "gather", "train", "forward", "backward", "reduce",
                              "optimizer", "evaluate", "checkpoint"}) {
      INFO(phase);
      CHECK(phases.count(phase) == 1);
    }
    const auto collectives = names_of(tracks.at({rank, 2}));
    CHECK(collectives.count("gather_groups") == 1);
    CHECK(beside_backward(trace, rank, tracks.at({rank, 1})) > 0);
  }
  CHECK((names_of(tracks.at({0, 1})).count("reward") == 1 ||
         names_of(tracks.at({1, 1})).count("reward") == 1));
}

TEST_CASE("trace: one rank has one too, and each start of a run a file of its own") {
  const Job job;
  for (const char* steps : {"2", "4"}) {
    auto command = job.command(kTraced);
    command.insert(command.end(), {"--resume", "auto", "--set",
                                   std::string("stages.grpo.train.max_steps=") + steps});
    const auto end = run_aha(command);
    INFO(end.err);
    REQUIRE(end.code == 0);
  }
  for (const char* name : {"trace_1.json", "trace_2.json"}) {
    const auto tracks = tracks_of(aha::read_json(job.run / name));
    REQUIRE(tracks.size() == 1);
    require_nested(tracks.begin()->second);
  }
}
