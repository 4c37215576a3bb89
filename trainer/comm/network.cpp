#include "trainer/comm/network.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "trainer/comm/listener.h"
#include "trainer/comm/rendezvous.h"
#include "trainer/core/error.h"
#include "trainer/core/ticker.h"

namespace aha {
namespace {

using StorePtr = c10::intrusive_ptr<c10d::Store>;

/// For the last try to connect, which may begin just before the time limit.
constexpr double kConnectS = 3;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// What is wrong with the meeting point, where that can be seen from here; empty: nothing.
std::string flaw_of(const Placement& placement) {
  const auto& host = placement.master_addr;
  try {
    own_address(host, placement.master_port);
  } catch (const CommError& error) {
    return error.what();
  }
  if (placement.rank != 0 || is_this_host(host)) return "";
  return fmt::format("rank 0 runs on {}, which has no such address", host_name());
}

std::string cannot_meet(const Placement& placement, bool serve, const std::string& why) {
  const auto flaw = flaw_of(placement);
  return fmt::format("rank {} cannot {} {}:{} (MASTER_ADDR, MASTER_PORT): {}", placement.rank,
                     serve ? "serve at" : "reach rank 0 at", placement.master_addr,
                     placement.master_port, flaw.empty() ? why : flaw);
}

StorePtr connect(const Placement& placement, const CommOptions& options, bool serve) {
  c10d::TCPStoreOptions store;
  store.port = static_cast<std::uint16_t>(placement.master_port);
  store.isServer = serve;
  store.waitWorkers = false;
  store.timeout = milliseconds(options.timeout_s);
  if (const int file =
          inherited_listener(placement.listener, placement.master_addr, placement.master_port);
      serve && file >= 0)
    store.masterListenFd = file;
  // a store waits without end for the first answer of what it is connected to: something else may have the port
  const Ticker deadline(options.timeout_s + kConnectS, [&] {
    end_process(
        cannot_meet(placement, serve, "what listens there does not answer as rank 0 would"));
  });
  try {
    return c10::make_intrusive<c10d::TCPStore>(placement.master_addr, store);
  } catch (const std::exception& error) {
    throw CommError(cannot_meet(placement, serve, first_line(error.what())));
  }
}

/// A part of the store with names of its own.
StorePtr named(const StorePtr& store, const std::string& name) {
  return c10::make_intrusive<c10d::PrefixStore>(name, store);
}

Board board_over(const StorePtr& store, int rank, int size) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<std::size_t>(size));
  for (int r = 0; r < size; ++r)
    keys.push_back("beat/" + std::to_string(r));
  Board board;
  board.write = [store, key = keys[static_cast<std::size_t>(rank)]](const std::string& text) {
    store->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
  };
  // a question for what is not there yet would wait for it
  board.read = [store, keys, here = std::vector<bool>(keys.size())]() mutable {
    std::vector<std::string> known;
    for (std::size_t r = 0; r < keys.size(); ++r) {
      if (!here[r]) here[r] = store->check({keys[r]});
      if (here[r]) known.push_back(keys[r]);
    }
    const auto values = store->multiGet(known);
    std::vector<std::string> texts(keys.size());
    for (std::size_t r = 0, next = 0; r < keys.size(); ++r)
      if (here[r]) {
        const auto& value = values[next++];
        texts[r].assign(value.begin(), value.end());
      }
    return texts;
  };
  return board;
}

/// c10d notes every collective in one table of the process, whose entries are not guarded where several groups
/// are (ranks as threads crashed in it), and which nothing here reads. TORCH_FR_BUFFER_SIZE turns it on.
void turn_flight_recorder_off() {
  static const int done = ::setenv("TORCH_FR_BUFFER_SIZE", "0", 0);
  (void)done;
}

Heartbeat& start_heartbeat(const Placement& p, const CommOptions& options,
                           std::unique_ptr<Heartbeat>& beats) {
  // a connection of its own: a wait on the other one must not hold up heartbeats
  const auto health = named(connect(p, options, false), "health");
  beats = std::make_unique<Heartbeat>(board_over(health, p.rank, p.world_size), host_name(),
                                      options.heartbeat_s, end_process);
  return *beats;
}

c10::intrusive_ptr<c10d::Backend> join(const StorePtr& store, const Placement& p,
                                       const CommOptions& options, const Heartbeat& heartbeat) {
  turn_flight_recorder_off();
  auto gloo = c10d::ProcessGroupGloo::Options::create(milliseconds(options.timeout_s));
  try {
    gloo->devices.push_back(
        c10d::ProcessGroupGloo::createDeviceForHostname(own_address(p.master_addr, p.master_port)));
    return c10::make_intrusive<c10d::ProcessGroupGloo>(named(store, "gloo"), p.rank, p.world_size,
                                                       gloo);
  } catch (const CommError&) {
    throw;
  } catch (const std::exception& error) {
    throw CommError(fmt::format("rank {} of {} found no way to the others within {:g} s: {} [{}]",
                                p.rank, p.world_size, options.timeout_s,
                                waiting_report(heartbeat.ranks()), first_line(error.what())));
  }
}

}  // namespace

std::string first_line(const char* what) {
  const std::string text = what;
  return text.substr(0, text.find('\n'));
}

void end_process(const std::string& report) {
  spdlog::error("aha: {}", report);
  spdlog::default_logger()->flush();
  std::_Exit(kExitTryAgain);
}

Communicator::Network::Network(const Placement& placement, const CommOptions& options,
                               std::unique_ptr<Heartbeat>& kept)
    : store(connect(placement, options, placement.rank == 0)),
      beats(kept),
      heartbeat(start_heartbeat(placement, options, beats)),
      group(join(store, placement, options, heartbeat)) {}

Communicator::Network::~Network() {
  // before all ranks have finished, threads of Gloo may be inside of a collective: it is theirs to keep
  if (!finished) (void)group.release();
  beats.reset();  // before the store goes
}

void Communicator::Network::fail_in(std::string_view name, const std::string& what) {
  const auto start = Clock::now();
  const auto telling = [&] {
    if (heartbeat.out_of_reach()) return true;
    for (const auto& seen : heartbeat.ranks())
      if (!seen.activity.left.empty() || seen.silent_s >= kSilentAfterS) return true;
    return false;
  };
  while (!telling() && seconds_since(start) < kSilentAfterS + 0.5)
    ::usleep(100'000);
  std::string report = waiting_report(heartbeat.ranks());
  if (heartbeat.out_of_reach())
    report = "rank 0, where all ranks meet, cannot be reached; " + report;
  throw CommError(fmt::format("{} failed: {} [{}]", name, report, what));
}

}  // namespace aha
