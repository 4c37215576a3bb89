#pragma once
#include <memory>

#include "tests/support/catch.h"
#include "tests/support/process.h"
#include "trainer/comm/listener.h"

namespace aha_test {

/// The ranks of a job, started as torchrun would.
class Ranks {
 public:
  /// What makes one rank differ from the others.
  using Change = std::function<void(int rank, Program::Options& options)>;

  Ranks(int count, const std::vector<std::string>& command, const Change& change = {}) {
    for (int r = 0; r < count; ++r)
      start(r, count, command, change);
  }

  /// Rank r runs commands[r].
  explicit Ranks(const std::vector<std::vector<std::string>>& commands) {
    for (std::size_t r = 0; r < commands.size(); ++r)
      start(static_cast<int>(r), static_cast<int>(commands.size()), commands[r]);
  }

  int port() const { return listener_.port(); }
  Program& operator[](std::size_t rank) { return *programs_[rank]; }

  std::vector<Ended> wait() {
    std::vector<Ended> ends;
    for (auto& program : programs_)
      ends.push_back(program->wait());
    return ends;
  }

  void signal_all(int number) {
    for (auto& program : programs_)
      program->signal(number);
  }

 private:
  void start(int rank, int count, const std::vector<std::string>& command,
             const Change& change = {}) {
    Program::Options options;
    options.environment = {{"AHA_LISTENER", rank == 0 ? std::to_string(listener_.file()) : ""},
                           {"RANK", std::to_string(rank)},
                           {"WORLD_SIZE", std::to_string(count)},
                           {"LOCAL_RANK", std::to_string(rank)},
                           {"LOCAL_WORLD_SIZE", std::to_string(count)},
                           {"MASTER_ADDR", "127.0.0.1"},
                           {"MASTER_PORT", std::to_string(port())}};

    if (change) change(rank, options);
    options.first = [this, first = std::move(options.first)] {
      aha::keep_on_exec(listener_.file());
      if (first) first();
    };
    programs_.push_back(std::make_unique<Program>(command, options));
    listener_.close();
  }

  aha::Listener listener_;
  std::vector<std::unique_ptr<Program>> programs_;
};

inline void require_done(const std::vector<Ended>& ends) {
  for (const auto& end : ends) {
    INFO(end.err);
    REQUIRE(end.code == 0);
  }
}

}  // namespace aha_test
