#pragma once
#include <unistd.h>

#include <cstdint>
#include <iostream>

#include "trainer/core/clock.h"
#include "trainer/core/text.h"
#include "trainer/core/types/group.h"

namespace aha {

/// A line on standard error that counts finished groups and tokens, redrawn in place; silent unless
/// standard error is a terminal and standard output is not.
class Progress {
 public:
  void add(const Group& group) {
    ++groups_;
    for (const auto& completion : group.completions)
      tokens_ += completion.length();
    if (!shown_ || seconds_since(drawn_) < 0.2) return;
    drawn_ = Clock::now();
    draw();
  }

  /// Leaves the last counts standing.
  void end() const {
    if (!shown_ || groups_ == 0) return;
    draw();
    std::cerr << '\n';
  }

 private:
  void draw() const {
    const auto seconds = seconds_since(start_);
    std::cerr << '\r' << with_commas(groups_) << " prompts, " << with_commas(tokens_) << " tokens, "
              << with_commas(static_cast<long long>(static_cast<double>(tokens_) / seconds))
              << " tok/s " << std::flush;
  }

  bool shown_ = isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_ = start_;
  std::int64_t groups_ = 0;
  std::int64_t tokens_ = 0;
};

}  // namespace aha
