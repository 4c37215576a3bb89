#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config/schema.h"
#include "trainer/core/json.h"

namespace aha {

/// Which part of a task's problem space a row comes from. A problem's identity is hashed into one
/// of the two classes, so held-out rows never occur in training, whatever the seeds and counts.
enum class Split : std::uint8_t { Train, HeldOut };

/// Named counts that a task reads off one completion by parsing it, e.g. attempts, waits, misses,
/// waits_after_miss, hits, waits_after_hit, verdicts, verdicts_right, slips, illegal. Summed over
/// completions and then made into rates by `behaviour_rates`.
using BehaviourCounts = std::map<std::string, std::int64_t>;

/// A generator of problems with exact answers. Row i of a (split, seed) is a pure function of them.
class Task {
 public:
  virtual ~Task() = default;

  /// {"question", "completion" (a written solution, for sft), "answer", and what its reward reads}.
  virtual Json row(Split split, std::uint64_t seed, std::uint64_t index) const = 0;

  /// A completion that its own reward scores 1 on this row.
  virtual std::string ideal(const Json& row) const = 0;

  /// Words of the task's own WordLevel tokenizer in id order, "<pad>" and "<eos>" among them; empty
  /// when the task writes natural text and needs the model's tokenizer.
  virtual std::vector<std::string> vocabulary() const = 0;

  /// The name of the reward that verifies it.
  virtual std::string reward() const = 0;

  virtual BehaviourCounts behaviour(const Json& row, std::string_view completion) const = 0;
  /// Metric suffix -> value from summed counts over `completions`, e.g. "waits" (per completion),
  /// "verification_gap", "verdict_accuracy". A rate with no cases is left out.
  virtual std::map<std::string, double> behaviour_rates(const BehaviourCounts& sums,
                                                        std::int64_t completions) const = 0;
};

/// One generator in the table of all.
struct TaskInfo {
  const char* name;
  const char* what;  ///< one line
  std::unique_ptr<Task> (*make)(const TaskOptions& options);
};
std::span<const TaskInfo> task_table();

/// By name; UserError with the nearest name, or for options that contradict.
std::unique_ptr<Task> make_task(const std::string& name, const TaskOptions& options);

}  // namespace aha
