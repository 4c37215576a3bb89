#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "trainer/comm/health.h"
#include "trainer/core/clock.h"
#include "trainer/core/ticker.h"

namespace aha {

/// Where heartbeats are pinned up: one text a rank. Calls may throw when the board cannot be reached.
struct Board {
  /// Of a rank by itself.
  static Board private_one();

  std::function<void(const std::string& text)> write;  ///< our own
  std::function<std::vector<std::string>()> read;      ///< all, in rank order; empty: none yet
};

/// A thread that tells the others twice a second what this rank does, and watches what they do.
class Heartbeat {
 public:
  /// `on_death(report)` is called, from a thread of this, when a rank was silent for `dead_after_s`, or when the
  /// board was out of reach for as long, be it that it does not answer.
  Heartbeat(Board board, std::string host, double dead_after_s,
            std::function<void(const std::string& report)> on_death);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void enter(std::string_view phase, std::int64_t step, Clock::time_point since);
  /// The collective that this rank waits in; empty: none.
  void wait_in(std::string_view operation);
  void want_stop();
  /// Tells why this rank leaves, at once. A later `on_death` begins with it: it is what the user needs to know.
  void leave(const std::string& why);

  /// True when the last heartbeats seen say that a rank wants to stop. Cheap.
  bool stop_wanted() const { return stop_wanted_; }
  /// True when the board could not be read at the last try, or is long in answering.
  bool out_of_reach() const { return out_of_reach_ || unanswered_s() >= kSilentAfterS; }
  /// As seen last.
  std::vector<Seen> ranks() const { return ranks(Clock::now()); }

  static constexpr double kIntervalS = 0.5;

 private:
  void beat();
  void look();
  void run();
  void exchange();
  void watch();
  /// When the process was stopped or frozen, silence was ours: all begin anew.
  void notice_pause(Clock::time_point now);
  std::vector<Seen> ranks(Clock::time_point now) const;
  void tell(const std::string& report);
  double unanswered_s() const { return seconds_since(reached_.load()); }
  Activity now() const;

  Board board_;
  double dead_after_s_;
  std::function<void(const std::string&)> on_death_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Activity activity_;
  Clock::time_point phase_since_;
  Clock::time_point operation_since_;
  struct Peer {
    std::string text;
    Clock::time_point heard;
  };
  std::vector<Peer> peers_;
  std::int64_t beats_ = 0;
  bool ending_ = false;
  std::atomic<bool> stop_wanted_ = false;
  std::atomic<bool> out_of_reach_ = false;
  std::string why_;                                        ///< it is out of reach
  std::atomic<Clock::time_point> reached_ = Clock::now();  ///< the board, last
  Clock::time_point awake_ = Clock::now();                 ///< this process, last
  std::atomic<bool> told_ = false;
  std::thread thread_;
  Ticker watch_;  ///< over the thread, which may wait for the board without end
};

}  // namespace aha
