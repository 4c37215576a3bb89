#include "trainer/comm/heartbeat.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

namespace aha {
namespace {

/// Threads that run every half second have not run for this long: the process did not.
constexpr double kPausedS = 2.0;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Board Board::private_one() {
  auto text = std::make_shared<std::string>();
  return {[text](const std::string& own) { *text = own; },
          [text] { return std::vector<std::string>{*text}; }};
}

Heartbeat::Heartbeat(Board board, std::string host, double dead_after_s,
                     std::function<void(const std::string&)> on_death)
    : board_(std::move(board)),
      dead_after_s_(dead_after_s),
      on_death_(std::move(on_death)),
      phase_since_(Clock::now()),
      watch_(kIntervalS, [this] { watch(); }) {
  activity_.host = std::move(host);
  beat();
  thread_ = std::thread([this] { run(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Heartbeat::enter(std::string_view phase, std::int64_t step, Clock::time_point since) {
  const std::lock_guard lock(mutex_);
  activity_.phase = phase;
  activity_.step = step;
  phase_since_ = since;
}

void Heartbeat::wait_in(std::string_view operation) {
  const std::lock_guard lock(mutex_);
  activity_.operation = operation;
  operation_since_ = Clock::now();
}

void Heartbeat::want_stop() {
  const std::lock_guard lock(mutex_);
  activity_.stop_wanted = true;
}

void Heartbeat::leave(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    activity_.left = why;
  }
  if (out_of_reach()) return;
  try {
    beat();
  } catch (const std::exception&) {
    return;  // who cannot be reached will notice
  }
}

Activity Heartbeat::now() const {
  Activity a = activity_;
  a.seconds = seconds_since(a.operation.empty() ? phase_since_ : operation_since_);
  return a;
}

/// The counter makes every beat another text, whatever else it says.
void Heartbeat::beat() {
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    text = std::to_string(++beats_) + ' ' + now().text();
  }
  board_.write(text);
}

void Heartbeat::look() {
  auto texts = board_.read();
  const std::lock_guard lock(mutex_);
  peers_.resize(texts.size());
  for (std::size_t r = 0; r < texts.size(); ++r)
    if (texts[r] != peers_[r].text) peers_[r] = {std::move(texts[r]), Clock::now()};
}

std::vector<Seen> Heartbeat::ranks(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Seen> seen;
  seen.reserve(peers_.size());
  for (const auto& peer : peers_) {
    if (peer.text.empty())
      seen.push_back({{}, 0, false});
    else
      seen.push_back({Activity::from_text(peer.text.substr(peer.text.find(' ') + 1)),
                      seconds_between(peer.heard, now)});
  }
  return seen;
}

void Heartbeat::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(kIntervalS),
                         [this] { return ending_; })) {
    lock.unlock();
    exchange();
    lock.lock();
  }
}

void Heartbeat::exchange() {
  try {
    beat();
    look();
    reached_ = Clock::now();
    out_of_reach_ = false;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    const std::lock_guard lock(mutex_);
    why_ = what.substr(0, what.find('\n'));  // c10's messages go on with a stack trace
    out_of_reach_ = true;
    return;
  }
  const auto now = Clock::now();
  notice_pause(now);
  const auto seen = ranks(now);
  for (const auto& s : seen)
    if (s.activity.stop_wanted) stop_wanted_ = true;
  const bool dead = std::any_of(seen.begin(), seen.end(), [&](const Seen& s) {
    return s.activity.left.empty() && s.silent_s > dead_after_s_;
  });
  if (dead) tell(waiting_report(seen));
}

void Heartbeat::notice_pause(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (seconds_between(awake_, now) > kPausedS) {
    reached_ = now;
    for (auto& peer : peers_)
      peer.heard = now;
  }
  awake_ = std::max(awake_, now);
}

void Heartbeat::watch() {
  const auto now = Clock::now();
  notice_pause(now);
  const double seconds = seconds_between(reached_, now);
  if (seconds <= dead_after_s_) return;
  auto why = fmt::format("no answer for {:.0f} s", seconds);
  if (out_of_reach_) {
    const std::lock_guard lock(mutex_);
    why = why_;
  }
  tell("rank 0, where all ranks meet, cannot be reached: " + why);
}

void Heartbeat::tell(const std::string& report) {
  if (told_.exchange(true)) return;
  std::string left;
  {
    const std::lock_guard lock(mutex_);
    left = activity_.left;
  }
  on_death_(left.empty() ? report : left + "; " + report);
}

}  // namespace aha
