#pragma once
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "trainer/config/rules.h"

namespace aha {

/// Collects the broken rules of one stage. A message names every other key that it speaks of by its
/// whole path: load leaves rules out that rest on a key which could not be read.
class RuleList {
 public:
  RuleList(std::vector<BrokenRule>& broken, std::string stage)
      : broken_(broken), stage_(std::move(stage)) {}

  template <class... Args>
  void broken(std::string key, fmt::format_string<Args...> message, Args&&... args) {
    broken_.push_back({stage_, std::move(key), fmt::format(message, std::forward<Args>(args)...)});
  }

 private:
  std::vector<BrokenRule>& broken_;
  std::string stage_;
};

/// Rules of `objective:` (and of rollout where they meet).
void check_objective(const StageConfig& stage, RuleList& rules);

/// Whether the stage has anything to evaluate on.
bool has_eval(const StageConfig& stage);

}  // namespace aha
