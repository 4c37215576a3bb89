#include <unistd.h>

#include <iostream>
#include <memory>
#include <thread>

#include "trainer/commands/commands.h"
#include "trainer/core/clock.h"
#include "trainer/metrics/watch.h"

namespace aha {
namespace {

constexpr double kSignWithinS = 3.0;  // a run renews its status every second

/// Looks at a run again and again.
class Watcher {
 public:
  explicit Watcher(std::string run) : run_(std::move(run)) {}

  /// The present; for the first time after a sign of life, or when none came in time.
  RunView look() {
    RunView view = seen();
    while (!first_sign_ && view.says_running() && seconds_since(moved_) < kSignWithinS) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      view = seen();
    }
    view.alive = view.says_running() && first_sign_ && seconds_since(moved_) < kSignWithinS;
    return view;
  }

 private:
  RunView seen() {
    RunView view = read_view(run_);
    if (beat_ != 0 && view.beat() != beat_) first_sign_ = true;
    if (view.beat() != beat_) moved_ = Clock::now();
    beat_ = view.beat();
    return view;
  }

  std::string run_;
  std::int64_t beat_ = 0;
  Clock::time_point moved_ = Clock::now();
  bool first_sign_ = false;
};

int watch(const std::string& run, bool once) {
  Watcher watcher(run);
  for (;;) {
    const RunView view = watcher.look();
    if (once) {
      std::cout << watch_text(view);
      return 0;
    }
    std::cout << "\x1b[H\x1b[J" << watch_text(view)
              << std::flush;  // from the top, the rest cleared
    if (!view.status.empty() && !view.says_running()) return 0;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace

void add_watch(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "watch", "what a run is doing: step, speed, reward, time left, the phase of each rank");
  auto run = std::make_shared<std::string>();
  auto once = std::make_shared<bool>(false);
  command->add_option("run", *run, "output_dir of the run")->required();
  command->add_flag("--once", *once,
                    "print once and leave; so it does without a terminal. Else until the run ends");
  command->callback([&action, run, once] {
    action = [run, once] { return watch(*run, *once || isatty(STDOUT_FILENO) == 0); };
  });
}

}  // namespace aha
