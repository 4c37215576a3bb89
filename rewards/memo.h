#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace aha {

/// What a pure function of a text gave, kept by that text: whoever asks cannot tell whether it was
/// computed anew. Bounded: longer texts than `kLongestKey` are not kept, and all is forgotten when
/// there are `most` of them. Safe from several threads, which compute outside the lock.
template <class Value>
class Memo {
 public:
  static constexpr std::size_t kLongestKey = 1000;  ///< bytes

  explicit Memo(std::size_t most) : most_(most) {}

  template <class Function>
  std::shared_ptr<const Value> get(const std::string& key, const Function& function) {
    if (key.size() > kLongestKey) return std::make_shared<const Value>(function());
    if (auto known = find(key)) return known;
    auto made = std::make_shared<const Value>(function());
    const std::lock_guard lock(mutex_);
    if (values_.size() >= most_) values_.clear();
    return values_.try_emplace(key, std::move(made)).first->second;
  }

 private:
  std::shared_ptr<const Value> find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : found->second;
  }

  std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Value>> values_;
};

}  // namespace aha
