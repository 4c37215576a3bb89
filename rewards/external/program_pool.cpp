#include "rewards/external/program_pool.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "rewards/external/protocol.h"
#include "rewards/external/sigpipe.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr double kFirstPauseS = 0.1;
constexpr double kLongestPauseS = 10;
constexpr int kHopeless = 3;  // starts in a row
constexpr auto kToEnd = std::chrono::seconds(1);

SteadyClock::time_point after(double seconds) {
  return SteadyClock::now() +
         std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds));
}

double pause_after(int failures) {
  return std::min(kLongestPauseS, kFirstPauseS * std::exp2(std::min(failures - 1, 30)));
}

}  // namespace

ProgramPool::ProgramPool(PoolOptions options)
    : options_(std::move(options)), bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (std::int64_t i = 0; i < options_.copies; ++i) {
    auto label = options_.label;
    if (options_.copies > 1) label += fmt::format(", copy {}", i + 1);
    copies_.push_back(std::make_unique<Copy>(
        ProgramStart{options_.program, options_.arguments, std::move(label)}));
  }
  thread_ = std::thread([this] { work(); });
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [this] { return started_; });
  if (start_problem_.empty()) return;
  lock.unlock();
  thread_.join();
  fail("{}: {}: {}", options_.label, options_.program.string(), start_problem_);
}

ProgramPool::~ProgramPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ring();
  thread_.join();
}

RewardPart ProgramPool::ask(const Attempt& attempt) {
  Request request;
  request.id = attempt.id.empty() ? fmt::format("#{}", ++numbered_) : std::string(attempt.id);
  request.text = request_text(request.id, attempt);
  request.until = after(options_.answer_limit_s);
  std::unique_lock lock(mutex_);
  arrived_.push_back(&request);
  ring();
  answered_.wait(lock, [&] { return request.answer.has_value(); });
  return std::move(*request.answer);
}

void ProgramPool::ring() {
  const std::uint64_t one = 1;
  (void)!write(bell_.get(), &one, sizeof one);
}

void ProgramPool::work() {
  const NoSigpipe quiet;
  while (take_requests()) {
    for (const auto& copy : copies_) {
      if (!copy->program.running() && SteadyClock::now() >= copy->until) start(*copy);
      if (copy->program.running()) listen(*copy);
      if (copy->program.running()) look_at_clock(*copy);
    }
    if (!started_) tell_of_start();
    hand_out();
    wait_for_news();
  }
  end_all();
}

bool ProgramPool::take_requests() {
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.end(), arrived_.begin(), arrived_.end());
  arrived_.clear();
  return !stop_;
}

void ProgramPool::start(Copy& copy) {
  try {
    copy.program.start();
    copy.program.say(greeting());
    copy.greeted = false;
    copy.until = after(options_.start_limit_s);
  } catch (const UserError& error) {
    put_down(copy, error.what());
  }
}

void ProgramPool::listen(Copy& copy) {
  const bool open = copy.program.move_bytes();
  while (copy.program.running()) {
    const auto line = copy.program.next_line();
    if (!line) break;
    hear(copy, *line);
  }
  if (!copy.program.running()) return;
  if (copy.program.line_too_long())
    put_down(copy, fmt::format("a line of more than {} bytes", kMostAnswerBytes));
  else if (!open)
    put_down(copy, "");
}

void ProgramPool::hear(Copy& copy, const std::string& line) {
  if (!copy.greeted) {
    if (const auto problem = greeting_problem(line)) return put_down(copy, *problem);
    copy.greeted = true;
    copy.failed_starts = 0;
    return;
  }
  try {
    auto [id, part] = read_answer(line);
    const auto asked = copy.asked.find(id.value_or(""));
    if (asked == copy.asked.end())
      return put_down(
          copy, fmt::format("an answer to '{}', which was not asked", clipped(id.value_or(""))));
    Request& request = *asked->second;
    copy.asked.erase(asked);
    copy.failures = 0;
    answer(request, std::move(part));
    // what waits for a copy waits no longer than a scorer that has stopped answering lets it
    for (auto* waiting : waiting_)
      waiting->until = after(options_.answer_limit_s);
  } catch (const UserError& error) {
    put_down(copy, error.what());
  }
}

void ProgramPool::look_at_clock(Copy& copy) {
  const auto now = SteadyClock::now();
  if (!copy.greeted) {
    if (now >= copy.until)
      put_down(copy, fmt::format("no greeting within {} s", options_.start_limit_s));
    return;
  }
  // the one that was asked first: the others may have waited behind it
  const auto slow = std::min_element(
      copy.asked.begin(), copy.asked.end(),
      [](const auto& a, const auto& b) { return a.second->until < b.second->until; });
  if (slow != copy.asked.end() && now >= slow->second->until)
    put_down(copy, fmt::format("no answer within {} s", options_.answer_limit_s), slow->second);
}

/// `why` empty: how it ended is the reason.
void ProgramPool::put_down(Copy& copy, const std::string& why, const Request* slow) {
  const auto end = copy.program.stop();
  last_failure_ = why.empty() ? end : why;
  ++copy.failures;
  if (!copy.greeted) ++copy.failed_starts;
  const double pause = pause_after(copy.failures);
  copy.until = after(pause);
  for (const auto& [id, request] : std::exchange(copy.asked, {})) {
    const bool again = request != slow && ++request->tries <= options_.retries;
    if (again) {
      request->until = after(options_.answer_limit_s);
      waiting_.push_front(request);
    } else {
      refuse(*request, last_failure_);
    }
  }
  copy.greeted = false;
  if (started_)
    spdlog::warn("{}: {}; it is started again in {:.1f} s", copy.program.label(), last_failure_,
                 pause);
}

void ProgramPool::hand_out() {
  const bool none = hopeless();
  const auto now = SteadyClock::now();
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    Request& request = **place;
    Copy* copy = free_copy(request.id);
    const bool late = now >= request.until;
    if (copy == nullptr && !none && !late) {
      ++place;
      continue;
    }
    place = waiting_.erase(place);
    if (copy != nullptr) {
      request.until = after(options_.answer_limit_s);
      copy->asked[request.id] = &request;
      copy->program.say(request.text);
    } else if (none) {
      refuse(request, "the scorer is down: " + last_failure_);
    } else {
      refuse(request,
             fmt::format("no copy of the scorer was free within {} s{}{}", options_.answer_limit_s,
                         last_failure_.empty() ? "" : "; the last one: ", last_failure_));
    }
  }
}

/// The one with the fewest requests, which has none of this name; null when all have as many as they may.
ProgramPool::Copy* ProgramPool::free_copy(const std::string& id) {
  Copy* best = nullptr;
  for (const auto& copy : copies_)
    if (copy->greeted && std::ssize(copy->asked) < options_.in_flight &&
        !copy->asked.contains(id) && (best == nullptr || copy->asked.size() < best->asked.size()))
      best = copy.get();
  return best;
}

void ProgramPool::answer(Request& request, RewardPart part) {
  const std::lock_guard lock(mutex_);  // the request is gone as soon as its owner sees the answer
  request.answer = std::move(part);
  answered_.notify_all();
}

void ProgramPool::refuse(Request& request, const std::string& why) {
  answer(request, {std::nullopt, "", why, 0});
}

bool ProgramPool::hopeless() const {
  return std::all_of(copies_.begin(), copies_.end(), [](const auto& copy) {
    return !copy->greeted && copy->failed_starts >= kHopeless;
  });
}

void ProgramPool::tell_of_start() {
  const bool all =
      std::all_of(copies_.begin(), copies_.end(), [](const auto& copy) { return copy->greeted; });
  if (!all && last_failure_.empty()) return;
  const std::lock_guard lock(mutex_);
  started_ = true;
  start_problem_ = last_failure_;
  stop_ = stop_ || !start_problem_.empty();
  answered_.notify_all();
}

void ProgramPool::wait_for_news() {
  std::vector<pollfd> files = {{bell_.get(), POLLIN, 0}};
  for (const auto& copy : copies_)
    for (const auto& [file, events] : copy->program.interests())
      files.push_back({file, events, 0});
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(next_event() - SteadyClock::now());
  poll(files.data(), files.size(),
       static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 60000)));
  std::uint64_t rung = 0;
  (void)!read(bell_.get(), &rung, sizeof rung);
}

ProgramPool::Time ProgramPool::next_event() const {
  auto next = SteadyClock::now() + std::chrono::minutes(1);
  for (const auto& copy : copies_) {
    if (!copy->greeted) next = std::min(next, copy->until);
    for (const auto& [id, request] : copy->asked)
      next = std::min(next, request->until);
  }
  for (const auto* request : waiting_)
    next = std::min(next, request->until);
  return next;
}

void ProgramPool::end_all() {
  for (const auto& copy : copies_)
    copy->program.close_input();
  const auto until = SteadyClock::now() + kToEnd;
  const auto running = [](const auto& copy) { return !copy->program.has_ended(); };
  while (SteadyClock::now() < until && std::any_of(copies_.begin(), copies_.end(), running))
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  copies_.clear();
  for (auto* request : waiting_)
    refuse(*request, "the scorer was ended");
}

}  // namespace aha
