#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rewards/sandbox/running.h"

namespace aha {

/// What is started, and how it is called in the log.
struct ProgramStart {
  std::filesystem::path program;
  std::vector<std::string> arguments;  ///< without the program
  std::string label;                   ///< "reward 'command', copy 2"
};

/// A program that runs beside us, in a session of its own, and is spoken to in lines over its standard
/// input and output. What it writes to standard error goes to the log, each line behind its label. It has
/// our rights and environment; it is the user's own, not a policy's. It ends with the thread that started
/// it, whatever ends that, and what it has started does (keeper.h).
///
/// No call waits, but for `stop`. For one thread, which has blocked SIGPIPE.
class ProgramCopy {
 public:
  explicit ProgramCopy(ProgramStart start) : start_(std::move(start)) {}
  ~ProgramCopy() { stop(); }
  ProgramCopy(const ProgramCopy&) = delete;
  ProgramCopy& operator=(const ProgramCopy&) = delete;

  /// UserError when it cannot be executed.
  void start();
  bool running() const { return pid_ > 0; }
  const std::string& label() const { return start_.label; }

  /// A line for its input. What it does not take at once is sent by move_bytes.
  void say(std::string_view line);
  /// Writes, reads and logs what can be at once. False: it has closed its output, or ended.
  bool move_bytes();
  /// The next whole line of its output.
  std::optional<std::string> next_line();
  /// The line that is being read is longer than an answer may be.
  bool line_too_long() const;

  /// What there is to wait for, for poll.
  struct Interest {
    int file;
    short events;
  };
  std::vector<Interest> interests() const;

  /// Closes its input, on which a scorer ends by itself.
  void close_input() { input_.close(); }
  /// True when it has ended, after `close_input`.
  bool has_ended() const;
  /// Ends what is left of it and of what it started, and says how it ended: "ended with exit code 1:
  /// its last line of standard error".
  std::string stop();

 private:
  void write_input();
  bool read_output();
  void read_errors();
  void log_error_line();
  void wait_for_end(std::chrono::milliseconds most) const;

  ProgramStart start_;
  pid_t pid_ = -1;  ///< of its keeper
  OwnedFile input_;
  OwnedFile output_;
  OwnedFile errors_;
  std::string unsent_;
  std::string unread_;     ///< bytes of its output that are not taken yet
  std::size_t begin_ = 0;  ///< of `unread_`: what is before is taken
  std::size_t end_ = 0;    ///< of `unread_`: there is no end of a line in [begin_, end_)
  std::string error_line_;
  std::string last_error_;
  int logged_ = 0;
};

}  // namespace aha
