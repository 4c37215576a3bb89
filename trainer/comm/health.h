#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aha {

/// What a rank says of itself with every heartbeat.
struct Activity {
  std::string host;
  std::string phase = "start";
  std::int64_t step = 0;     ///< global step of the phase
  std::string operation;     ///< the collective that it waits in; empty: it works
  double seconds = 0;        ///< in the phase or operation, by its own clock
  bool stop_wanted = false;  ///< a signal came
  std::string left;          ///< why it is no longer part of the job; empty: it is

  std::string text() const;
  /// InternalError for anything that `text` does not write.
  static Activity from_text(const std::string& text);
};

/// What one rank knows of another.
struct Seen {
  Activity activity;
  double silent_s = 0;  ///< since its last heartbeat, by our own clock: clocks of hosts may differ
  bool came = true;     ///< false: there was no heartbeat yet
};

/// A rank that gives no sign of life for this long is said to be silent in reports.
constexpr double kSilentAfterS = 2.0;

/// One line on why `self` cannot go on, from what is seen of all ranks (index = rank): those that never came,
/// those that left and why, those that are silent, those that are elsewhere and since when, and who waits
/// for what:
///   "rank 3 (n7) is in rollout of step 12 since 34 s; ranks 0, 1, 2 wait in reduce_gradients"
std::string waiting_report(std::span<const Seen> ranks);

}  // namespace aha
