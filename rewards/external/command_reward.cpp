#include "rewards/registry.h"

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

/// A scorer program of the user's own, spoken to in lines of JSON (protocol.h) over pipes, in any number
/// of copies that live as long as the run (program_pool.h). `reach` starts them and waits
/// for their greeting: one that is not there, or speaks otherwise, is an error before anything is computed.
///
/// Options: `command` (a list of words, or a text of them; no shell), `copies`, `in_flight`,
/// `answer_limit_s` of an answer, `start_limit_s` of a greeting, `retries` after a copy's end, `verifier`
/// (whether it tells right from wrong).
///
/// What gets no answer cannot be judged. Scores are the scorer's: they are as deterministic as it is.
RewardInfo command_reward() {
  return {"command",
          "what a program of yours says, over pipes; rewards/README.md has the lines",
          {{"command", "", "the program and its words, a list or a text; no shell", false},
           {"copies", "1", "processes", false},
           {"in_flight", "1", "requests that a copy may have before it answers one", false},
           {"answer_limit_s", "10", "for an answer; then the copy is started again", false},
           {"start_limit_s", "60", "from its start to its greeting", false},
           {"retries", "1", "of a completion whose copy ended", false},
           {"verifier", "true", "whether it tells right from wrong", false}},
          made<CommandReward>};
}

}  // namespace aha
