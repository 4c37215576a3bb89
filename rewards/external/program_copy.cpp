#include "rewards/external/program_copy.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "rewards/external/keeper.h"
#include "rewards/external/protocol.h"
#include "rewards/text_scan.h"
#include "trainer/core/exec_array.h"

namespace aha {
namespace {

constexpr int kReads = 16;  // of 64 KiB at once, so that one that never stops keeps nobody waiting
constexpr int kLoggedLines = 100;  // of one start
constexpr std::size_t kErrorLine = 4096;
constexpr auto kSlowEnd = std::chrono::milliseconds(500);  // from the end of its output to its own
constexpr auto kToEndAll = std::chrono::seconds(1);        // for its keeper

void set_nonblocking(const OwnedFile& file) {
  fcntl(file.get(), F_SETFL, O_NONBLOCK);
}

/// Bytes that are there, at most those of `block`; 0 at the end, nothing when none are there yet.
std::optional<std::size_t> read_some(const OwnedFile& file, std::span<char> block) {
  for (;;) {
    const auto count = read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return std::nullopt;
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
}

/// Ours, with the LD_LIBRARY_PATH from before the package's start script put our LibTorch there (scripts/package/start.sh):
/// a program may have another.
std::vector<std::string> environment_of_programs() {
  const std::string library_path = "LD_LIBRARY_PATH=";
  const char* before = std::getenv("AHA_OUTER_LIBRARY_PATH");
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (before == nullptr || std::string_view(*entry).rfind(library_path, 0) != 0)
      entries.emplace_back(*entry);
  if (before != nullptr && *before != '\0') entries.push_back(library_path + before);
  return entries;
}

}  // namespace

void ProgramCopy::start() {
  auto [in, our_in] = new_pipe();
  auto [our_out, out] = new_pipe();
  auto [our_err, err] = new_pipe();
  auto words = kept_command(start_.program, start_.arguments);
  ChildPlan plan;
  plan.held = false;
  plan.keeper = true;
  plan.folder = ".";
  plan.command = pointers_to(words);
  auto environment = environment_of_programs();
  plan.environment = pointers_to(environment);
  plan.streams[0] = in.get();
  plan.streams[1] = out.get();
  plan.streams[2] = err.get();
  const ChildStack stack;
  pid_ = start_child(plan, stack);
  input_ = std::move(our_in);
  output_ = std::move(our_out);
  errors_ = std::move(our_err);
  for (const auto* file : {&input_, &output_, &errors_})
    set_nonblocking(*file);
  unsent_.clear();
  unread_.clear();
  begin_ = end_ = 0;
  error_line_.clear();
  last_error_.clear();
  logged_ = 0;
}

void ProgramCopy::say(std::string_view line) {
  unsent_.append(line).push_back('\n');
  write_input();
}

bool ProgramCopy::move_bytes() {
  write_input();
  const bool more = read_output();
  read_errors();
  return more;
}

void ProgramCopy::write_input() {
  std::size_t sent = 0;
  while (sent < unsent_.size() && input_.get() >= 0) {
    const auto count = write(input_.get(), unsent_.data() + sent, unsent_.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return input_.close();  // how it ended is seen on its output
    sent += static_cast<std::size_t>(count);
  }
  unsent_.erase(0, sent);
}

bool ProgramCopy::read_output() {
  std::array<char, 65536> block;
  for (int i = 0; i < kReads && !line_too_long(); ++i) {
    const auto count = read_some(output_, block);
    if (!count) return true;
    if (*count == 0) {
      output_.close();
      return false;
    }
    unread_.append(block.data(), *count);
  }
  return true;
}

void ProgramCopy::read_errors() {
  std::array<char, 65536> block;
  for (int i = 0; i < kReads && errors_.get() >= 0; ++i) {
    const auto count = read_some(errors_, block);
    if (!count) return;
    if (*count == 0) return errors_.close();
    for (const char c : std::string_view(block.data(), *count)) {
      if (c == '\n')
        log_error_line();
      else if (error_line_.size() < kErrorLine)
        error_line_ += c;
    }
  }
}

void ProgramCopy::log_error_line() {
  const auto line = clipped(trimmed(std::exchange(error_line_, {})));
  if (line.empty()) return;
  last_error_ = line;
  if (++logged_ <= kLoggedLines) spdlog::info("{}: {}", label(), line);
  if (logged_ == kLoggedLines) spdlog::info("{}: what else it says is not shown", label());
}

std::optional<std::string> ProgramCopy::next_line() {
  end_ = std::min(unread_.find('\n', end_), unread_.size());
  if (end_ == unread_.size()) {
    unread_.erase(0, begin_);
    end_ -= std::exchange(begin_, 0);
    return std::nullopt;
  }
  auto line = unread_.substr(begin_, end_ - begin_);
  begin_ = ++end_;
  return line;
}

bool ProgramCopy::line_too_long() const {
  return unread_.size() - begin_ > kMostAnswerBytes;
}

std::vector<ProgramCopy::Interest> ProgramCopy::interests() const {
  std::vector<Interest> files;
  if (output_.get() >= 0) files.push_back({output_.get(), POLLIN});
  if (errors_.get() >= 0) files.push_back({errors_.get(), POLLIN});
  if (input_.get() >= 0 && !unsent_.empty()) files.push_back({input_.get(), POLLOUT});
  return files;
}

bool ProgramCopy::has_ended() const {
  siginfo_t info{};
  return pid_ < 0 ||
         (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
          info.si_pid != 0);
}

void ProgramCopy::wait_for_end(std::chrono::milliseconds most) const {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!has_ended() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

std::string ProgramCopy::stop() {
  if (!running()) return "is not running";
  if (output_.get() < 0) wait_for_end(kSlowEnd);
  const bool by_itself = has_ended();
  kill(pid_, SIGTERM);
  wait_for_end(kToEndAll);
  kill(-pid_, SIGKILL);  // its group is ours as long as it is not waited for
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  read_errors();
  log_error_line();
  input_.close();
  output_.close();
  errors_.close();
  auto text = by_itself ? kept_end(status) : "was ended";
  if (!last_error_.empty()) text += ": " + last_error_;
  return text;
}

}  // namespace aha
