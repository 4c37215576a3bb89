#include "trainer/run/background_scoring.h"

#include <utility>

#include "trainer/core/error.h"

namespace aha {

BackgroundScoring::BackgroundScoring(Scorer& scorer, std::int64_t max_completion_length,
                                     std::string purpose)
    : scorer_(scorer),
      max_completion_length_(max_completion_length),
      purpose_(std::move(purpose)),
      thread_([this] { work(); }) {}

BackgroundScoring::~BackgroundScoring() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    all_added_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void BackgroundScoring::add(const Group& group) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(group);
  }
  changed_.notify_one();
}

void BackgroundScoring::finish(std::span<Group> groups) {
  {
    const std::lock_guard lock(mutex_);
    all_added_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (problem_) std::rethrow_exception(problem_);
  for (auto& group : groups) {
    const auto scores = scored_.find(group.ordinal);
    check(scores != scored_.end(), "every group of a rollout was scored");
    group.scores = std::move(scores->second);
  }
}

void BackgroundScoring::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return all_added_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto groups = take_next();
    lock.unlock();
    try {
      scorer_.score_groups(groups, max_completion_length_, purpose_);
    } catch (...) {
      problem_ = std::current_exception();
    }
    lock.lock();
    if (problem_) waiting_.clear();
    for (auto& group : groups)
      scored_[group.ordinal] = std::move(group.scores);
  }
}

std::vector<Group> BackgroundScoring::take_next() {
  std::vector<Group> groups;
  std::ptrdiff_t completions = 0;
  do {
    completions += std::ssize(waiting_.front().completions);
    groups.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (!waiting_.empty() &&
           completions + std::ssize(waiting_.front().completions) <= scorer_.threads());
  return groups;
}

}  // namespace aha
