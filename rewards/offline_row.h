#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rewards/offline.h"
#include "rewards/registry.h"
#include "trainer/core/json.h"

namespace aha {

/// What a reward said of a row.
struct RowVerdict {
  RewardPart part;
  std::vector<std::string> explanation;  ///< where OfflineOptions asks for it
};

/// Scores rows, from many threads: finds in each what there is to judge (offline.h) and the reward with the
/// row's own options.
class RowScorer {
 public:
  /// Reaches what judges outside. UserError for a reward or a field that there is not.
  explicit RowScorer(const OfflineOptions& options);

  /// `id` is of no other row. UserError for a row that cannot be scored.
  RowVerdict score(const Json& row, const std::string& id);

  /// Rows that are to be with what judges outside at a time; 0: it judges here.
  std::int64_t concurrency() const { return reward_->concurrency(); }

 private:
  struct Input;
  std::shared_ptr<const Reward> made(const std::map<std::string, std::string>& params) const;
  Json renamed(const Json& written) const;
  Json fields_of(const Json& row) const;
  Input input_of(const Json& row) const;
  std::shared_ptr<const Reward> reward_for(const Json& row);

  const OfflineOptions& options_;
  const RewardInfo& info_;
  std::shared_ptr<const Reward> reward_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Reward>> cached_;  ///< by `params`
};

}  // namespace aha
