#pragma once
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

#include "rewards/sandbox/running.h"
#include "rewards/sandbox/sandbox.h"

namespace aha {

/// Places for programs that run at once; each has a stack and a user id of its own.
class Sandbox::Slots {
 public:
  explicit Slots(std::size_t count) : stacks_(count) {
    for (std::size_t i = 0; i < count; ++i)
      free_.push_back(i);
  }

  class Place {
   public:
    explicit Place(Slots& slots) : slots_(slots), index_(slots.take()) {}
    ~Place() { slots_.give_back(index_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    std::size_t index() const { return index_; }
    const ChildStack& stack() const { return slots_.stacks_[index_]; }

   private:
    Slots& slots_;
    std::size_t index_;
  };

 private:
  std::size_t take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !free_.empty(); });
    const auto index = free_.back();
    free_.pop_back();
    return index;
  }
  void give_back(std::size_t index) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(index);
    }
    changed_.notify_one();
  }

  std::vector<ChildStack> stacks_;
  std::vector<std::size_t> free_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace aha
