#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <ostream>
#include <string>

#include "trainer/metrics/step_metrics.h"

namespace aha {

/// Time left, from the median of the latest steps' times: one slow step (an evaluation, a busy
/// machine) does not move it.
class TimeLeft {
 public:
  void add(double step_time_s);
  /// Seconds for `steps` more; nothing before the first step.
  std::optional<double> seconds(std::int64_t steps) const;

 private:
  static constexpr std::size_t kWindow = 15;
  std::deque<double> times_;
};

/// What the console is written to.
struct ConsoleOptions {
  bool terminal = false;  ///< progress bar, redrawn in place; else plain lines
  int width = 100;        ///< columns of the terminal; plain lines are never cut

  /// Standard error as it is: isatty, its width, and no bar when TERM is "dumb".
  static ConsoleOptions of_stderr();
};

/// One line a step, ASCII only:
///
///   grpo 37/100 reward 0.52 acc 0.50 len 24.1 wait 0.9 kl - clip 0% norm 0.31 | 1.2 s/step 15.3k
///   tok/s | 1 min 5 s left
///
/// and one an evaluation. "-" is a value that the step has not. On a terminal, parts that do not
/// fit are left out from the right (the time left is in the bar then), and a progress bar stands
/// below the last line. Not thread-safe; the stream must outlive it.
class Console {
 public:
  Console(std::ostream& out, ConsoleOptions options) : out_(&out), options_(options) {}
  ~Console() { clear(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// After step row.step() of `total_steps` of the row's stage. Rows with `reward` are shown as
  /// GRPO, others as SFT.
  void step(const MetricsRow& row, std::int64_t total_steps);
  /// The row's eval_ metrics of the first set.
  void evaluation(const MetricsRow& row, std::int64_t total_steps);
  /// Any other line.
  void line(const std::string& text);
  /// Removes the bar, before something else writes to the same terminal. The next line brings it
  /// back.
  void clear();

 private:
  void enter(const MetricsRow& row, std::int64_t total_steps);
  void write(const std::string& text);
  std::string bar() const;

  std::ostream* out_;
  ConsoleOptions options_;
  std::string stage_;
  std::int64_t step_ = 0;
  std::int64_t total_steps_ = 0;
  TimeLeft time_left_;
  bool bar_shown_ = false;
};

/// 15312 -> "15.3k", 2400000 -> "2.4M", 87 -> "87".
std::string short_count(double value);

}  // namespace aha
