#include "rewards/external/command_reward.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "rewards/external/program_pool.h"
#include "rewards/programs.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

class CommandReward final : public Reward {
 public:
  explicit CommandReward(const RewardOptions& options)
      : name_(options.reward()),
        verifier_(options.flag("verifier")),
        concurrency_(options.whole("copies", 1, kMost) * options.whole("in_flight", 1, kMost)),
        options_(pool_options(options)) {}

  void reach() const override {
    std::call_once(reached_, [this] {
      auto options = options_;
      options.program = required_program(name_, options_.program.string());
      pool_ = std::make_unique<ProgramPool>(options);
      spdlog::info("{}: {} greeted, {} of it", options.label, options.program.string(),
                   options.copies == 1 ? "one copy" : fmt::format("{} copies", options.copies));
    });
  }

  RewardPart score(const Attempt& attempt) const override {
    reach();
    return pool_->ask(attempt);
  }
  bool is_verifier() const override { return verifier_; }
  bool waits() const override { return true; }
  std::int64_t concurrency() const override { return concurrency_; }

 private:
  static constexpr std::int64_t kMost = 64;

  static PoolOptions pool_options(const RewardOptions& options) {
    auto words = options.words("command");
    PoolOptions pool;
    pool.label = fmt::format("reward '{}'", options.reward());
    pool.program = words.front();  // it is looked for on each machine, when it is to start
    pool.arguments = {words.begin() + 1, words.end()};
    pool.copies = options.whole("copies", 1);
    pool.in_flight = options.whole("in_flight", 1);
    pool.answer_limit_s = options.seconds("answer_limit_s");
    pool.start_limit_s = options.seconds("start_limit_s");
    pool.retries = options.whole("retries", 0, kMost);
    return pool;
  }

  std::string name_;
  bool verifier_;
  std::int64_t concurrency_;
  PoolOptions options_;
  mutable std::once_flag reached_;
  mutable std::unique_ptr<ProgramPool> pool_;
};

}  // namespace

std::unique_ptr<Reward> make_command_reward(const RewardOptions& options) {
  return std::make_unique<CommandReward>(options);
}

}  // namespace aha
