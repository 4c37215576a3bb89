#pragma once
#include <memory>

#include "rewards/options.h"
#include "rewards/reward.h"

namespace aha {

/// Programs that pass tests: 1 if the last fenced block of code passes all tests of the row
/// (code_tests.h has the forms), else 0; with `credit: partial` the share of those passed. `extracted`
/// is the code, `steps` the tests that were run. The first test that fails is the last one; with partial
/// credit the first that comes to a time limit or does not compile, and those behind it have failed, too.
///
/// Only what follows </think> counts; a thought or a block that has not ended has no answer. An attempt
/// that is `bare` is the code itself where it holds no block. Outputs are compared here and
/// assertions in Python run in a process of their own, so the program never sees what is expected
/// (python_driver.h says what is left to it: the methods of its own objects). In C++ assertions are
/// compiled with the answer and share its process: a C++ answer can pass them without solving them.
///
/// Options: `language` (auto: the block's tag says; python; cpp), `tests_field`, `credit`, `compare`,
/// `max_tests` (0: all; else the first ones), `time_limit_s` and `memory_mb` of a test, `python` and
/// `compiler` (names or paths of programs), `allow_no_isolation`.
///
/// A row without tests, or whose tests cannot be run here, cannot be judged. Otherwise the score is a
/// function of the answer, except where processor time decides: a program near its limit may pass on
/// one machine and not on another. It then fails with the reason "time limit".
std::unique_ptr<Reward> make_code_reward(const RewardOptions& options);

}  // namespace aha
