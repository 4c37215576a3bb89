#include "trainer/run/reward_warnings.h"

#include <algorithm>
#include <set>

#include "rewards/code/code_runner.h"
#include "rewards/registry.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

constexpr std::int64_t kOfAnEndlessSet = 64;
constexpr std::size_t kNamed = 5;

/// The reward `code` that a function is, or has as its verifier.
std::optional<RewardFunction> code_of(const RewardFunction& function) {
  const auto verifier = function.options.find("verifier");
  const auto asked =
      verifier == function.options.end() ? function : parse_reward_spec(verifier->second);
  return asked.name == "code" ? std::optional(asked) : std::nullopt;
}

class RewardWarnings {
 public:
  RewardWarnings(const StageConfig& stage, const StageData& data, const Scorer& scorer)
      : stage_(stage), data_(data), scorer_(scorer) {}

  std::vector<std::string> lines() {
    look_at(data_.train->dataset());
    for (const auto& set : data_.eval)
      look_at(set.prompts->dataset());
    warn_of_rows();
    for (std::size_t i = 0; i < stage_.reward.functions.size(); ++i)
      warn_of_sources(i);
    if (stage_.method == "grpo") warn_of_weights();
    warn_of_time();
    return std::move(lines_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> message, Args&&... args) {
    lines_.push_back("warning    " + fmt::format(message, std::forward<Args>(args)...));
  }

  void look_at(const Dataset& rows);
  void warn_of_rows();
  void warn_of_sources(std::size_t index);
  void warn_of_weights();
  void warn_of_time();

  const StageConfig& stage_;
  const StageData& data_;
  const Scorer& scorer_;
  std::vector<std::string> lines_;
  std::set<std::string> sources_;  ///< that rows have
  std::int64_t rows_ = 0;
  std::int64_t doubtful_ = 0;
  std::vector<std::string> where_;  ///< the first of these
  std::string doubt_;               ///< the first one
};

void RewardWarnings::look_at(const Dataset& rows) {
  const auto count = rows.size().value_or(kOfAnEndlessSet);
  rows_ += count;
  for (std::int64_t i = 0; i < count; ++i) {
    const Json row = rows.row(i);
    const auto source = rows.source_of(row);
    sources_.insert(source);
    const auto doubt = scorer_.row_doubt(row, source);
    if (!doubt) continue;
    if (++doubtful_ == 1) doubt_ = *doubt;
    if (where_.size() < kNamed) where_.push_back(rows.where(i));
  }
}

void RewardWarnings::warn_of_rows() {
  if (doubtful_ > 0)
    add("{} ({} of {} rows): {}", fmt::join(where_, ", "), with_commas(doubtful_),
        with_commas(rows_), doubt_);
}

void RewardWarnings::warn_of_sources(std::size_t index) {
  const auto& wanted = stage_.reward.functions[index].sources;
  const auto is_there = [this](const auto& source) { return sources_.contains(source); };
  if (wanted.empty() || std::any_of(wanted.begin(), wanted.end(), is_there)) return;
  std::vector<std::string> there(sources_.begin(), sources_.end());
  if (there.size() > kNamed) there.resize(kNamed);
  add("reward.functions.{}.sources: no row is of {}, so that {} judges nothing; rows are of {}",
      index, join_list(wanted), scorer_.names()[index], join_list(there));
}

void RewardWarnings::warn_of_weights() {
  std::optional<std::size_t> punished;
  for (std::size_t i = 0; i < scorer_.names().size(); ++i) {
    if (!scorer_.is_verifier(i)) continue;
    if (scorer_.weight(i) > 0) return;
    if (scorer_.weight(i) < 0 && !punished) punished = i;
  }
  if (punished)
    add("reward.functions.{}.weight: {:g} takes from right answers what {} gives, and no other "
        "verifier is paid for; a number above 0 would be right",
        *punished, scorer_.weight(*punished), scorer_.names()[*punished]);
}

void RewardWarnings::warn_of_time() {
  for (const auto& function : stage_.reward.functions) {
    const auto code = code_of(function);
    if (!code) continue;
    auto options = code->options;
    for (const auto& option : reward_info(code->name).options)
      options.emplace(option.name, option.fallback);
    const auto limit = RewardOptions(code->name, options).whole("time_limit_s", 1);
    const double longest = CodeRunner::wall_limit_s(limit);
    if (stage_.reward.timeout_s >= longest) continue;
    add("reward.timeout_s: {:g} is less than the {:g} s by the clock that one test of code may "
        "take (time_limit_s {}): what is scored behind such a test cannot be judged; at least {:g} "
        "would be right",
        stage_.reward.timeout_s, longest, limit, longest);
  }
}

}  // namespace

std::vector<std::string> reward_warning_lines(const StageConfig& stage, const StageData& data,
                                              const Scorer& scorer) {
  return RewardWarnings(stage, data, scorer).lines();
}

}  // namespace aha
