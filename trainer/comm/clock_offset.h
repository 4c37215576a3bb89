#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aha {

/// How a rank's clock (steady, of its host) stands to rank 0's.
struct ClockOffset {
  std::int64_t add_ns = 0;    ///< makes its times rank 0's
  std::int64_t error_ns = 0;  ///< at most
};

/// Notes that ranks leave for each other.
struct Letters {
  std::function<void(const std::string& key, const std::string& text)> put;
  std::function<std::string(const std::string& key)> take;  ///< waits until it is there
};

/// Rank 0 answers `kRounds` questions of each other rank with its time.
void answer_clock_questions(const Letters& letters, int ranks);

/// Asks. Of the round whose answer came soonest: rank 0 wrote it after the question went and before it came
/// back, so that the middle is wrong by half of that at most (Cristian 1989, Distributed Computing 3).
ClockOffset ask_for_clock(const Letters& letters, int rank);

/// Of the clocks of one machine, which are one clock unless a namespace has moved one.
ClockOffset on_one_machine(const ClockOffset& measured);

}  // namespace aha
