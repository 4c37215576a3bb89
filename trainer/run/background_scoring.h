#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "rewards/scorer.h"
#include "trainer/core/types/group.h"

namespace aha {

/// Scores groups on a thread of its own, in the order in which they came, while others are still decoded: for
/// rewards that wait for something outside, and where a device decodes. Of those that wait here as many are scored
/// at a time, at least one, as the scorer's threads can begin with at once. Scores are those of Scorer::score_group.
class BackgroundScoring {
 public:
  BackgroundScoring(Scorer& scorer, std::int64_t max_completion_length, std::string purpose);
  /// Waits for the groups that are being scored; those after them are dropped.
  ~BackgroundScoring();
  BackgroundScoring(const BackgroundScoring&) = delete;
  BackgroundScoring& operator=(const BackgroundScoring&) = delete;

  /// Takes a copy: the group may be moved on.
  void add(const Group& group);

  /// Waits until all are scored and writes the scores into `groups`, found by their ordinals. What scoring
  /// threw is thrown here. Once, after the last add.
  void finish(std::span<Group> groups);

 private:
  void work();
  std::vector<Group> take_next();

  Scorer& scorer_;
  std::int64_t max_completion_length_;
  std::string purpose_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Group> waiting_;
  std::map<std::uint64_t, std::vector<Score>> scored_;  ///< by ordinal
  std::exception_ptr problem_;
  bool all_added_ = false;
  std::thread thread_;
};

}  // namespace aha
