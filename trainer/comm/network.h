#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "trainer/comm/communicator.h"
#include "trainer/comm/heartbeat.h"
#include "trainer/core/clock.h"

namespace aha {

/// c10's messages carry a stack trace after the first line.
std::string first_line(const char* what);

/// The process ends here: its other threads may wait in a collective that nothing can interrupt.
[[noreturn]] void end_process(const std::string& report);

/// What ranks are joined by: the store where they meet, c10d's process group, heartbeats.
struct Communicator::Network {
  /// Returns when all ranks are there. `kept` is filled once the store is there: ranks that wait for others
  /// are seen to live. CommError when they do not come within the time limit.
  Network(const Placement& placement, const CommOptions& options, std::unique_ptr<Heartbeat>& kept);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Runs one collective, or a question to the store. A failure becomes a report of who is where, for which
  /// heartbeats need a moment: CommError.
  template <class Body>
  void run(std::string_view name, Body&& body) {
    const auto start = Clock::now();
    heartbeat.wait_in(name);
    ask(name, body);
    heartbeat.wait_in("");
    seconds += seconds_since(start);
  }

  /// The same of a question by whatever thread, for which nobody waits.
  template <class Body>
  void ask(std::string_view name, Body&& body) {
    try {
      body();
    } catch (const std::exception& error) {
      fail_in(name, first_line(error.what()));
    }
  }

  c10::intrusive_ptr<c10d::Store> store;
  std::unique_ptr<Heartbeat>& beats;  ///< the communicator's
  Heartbeat& heartbeat;
  c10::intrusive_ptr<c10d::Backend> group;
  double seconds = 0;     ///< in `run`, since they were last taken
  bool finished = false;  ///< all ranks have

 private:
  [[noreturn]] void fail_in(std::string_view name, const std::string& what);
};

}  // namespace aha
