#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace aha {

/// What `main` exits with.
constexpr int kExitUserError = 2;
constexpr int kExitBug = 70;
constexpr int kExitTryAgain = 75;  ///< a rank or the network failed
constexpr int kExitStopped = 85;   ///< by a signal, with a checkpoint: ready to requeue

/// Something that the user can mend. The message is one line: where, what, what would be right.
/// `main` prints it and exits 2. A message may hold several lines when several independent things
/// are wrong, one line each.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A broken promise of our own: a bug. `main` prints it with file:line and exits 70.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A rank or the network failed; the same run may succeed when tried again. Exit 75.
class CommError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws UserError with a message in fmt's syntax.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> message, Args&&... args) {
  throw UserError(fmt::format(message, std::forward<Args>(args)...));
}

/// Throws InternalError("file:line: promise") unless `condition` holds. Never for user input.
void check(bool condition, std::string_view promise, const char* file = __builtin_FILE(),
           int line = __builtin_LINE());

}  // namespace aha
