#include "rewards/external/http_reward.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "rewards/external/http_client.h"
#include "rewards/external/protocol.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

constexpr double kFirstPauseS = 0.1;
constexpr std::int64_t kMostConnections = 1024;
constexpr std::int64_t kMostRetries = 64;

std::string token_of(const RewardOptions& options) {
  const auto& name = options.text("token_env");
  if (name.empty()) return "";
  const char* token = std::getenv(name.c_str());
  std::string text = token == nullptr ? "" : token;
  if (text.empty() || text.find_first_of("\r\n") != std::string::npos)
    fail("reward '{}': option 'token_env' names {}, which is {}", options.reward(), name,
         text.empty() ? "not set" : "more than one line");
  return text;
}

class HttpReward final : public Reward {
 public:
  explicit HttpReward(const RewardOptions& options)
      : options_(options),
        verifier_(options.flag("verifier")),
        concurrency_(options.whole("concurrency", 1, kMostConnections)),
        retries_(options.whole("retries", 0, kMostRetries)),
        answer_limit_s_(options.seconds("answer_limit_s")),
        where_("reward '" + options.reward() + "'") {
    check_url(where_, "url", options.text("url"));
    const auto& proxy = options.text("proxy");
    if (proxy != kProxyOfEnvironment && proxy != kNoProxy) check_url(where_, "proxy", proxy);
  }

  void reach() const override {
    std::call_once(reached_, [this] {
      // files and variables are looked for on each machine
      client_ = std::make_unique<HttpClient>(
          where_,
          HttpOptions{options_.text("url"), options_.text("ca_file"), token_of(options_),
                      options_.text("proxy"), concurrency_},
          kMostAnswerBytes);
      const auto label = where_ + ": " + options_.text("url");
      const auto answer = asked(greeting());
      const auto problem =
          answer.problem.empty() ? greeting_problem(answer.body) : std::optional(answer.problem);
      if (problem) fail("{}: {}", label, *problem);
      spdlog::info("{} greeted", label);
    });
  }

  RewardPart score(const Attempt& attempt) const override {
    reach();
    const auto answer = asked(request_text(attempt.id, attempt));
    if (!answer.problem.empty()) return {std::nullopt, "", answer.problem, 0};
    try {
      auto [id, part] = read_answer(answer.body);
      if (id && *id != attempt.id) return {std::nullopt, "", "an answer to another request", 0};
      return part;
    } catch (const UserError& error) {
      return {std::nullopt, "", error.what(), 0};
    }
  }

  bool is_verifier() const override { return verifier_; }
  bool waits() const override { return true; }
  std::int64_t concurrency() const override { return concurrency_; }

 private:
  HttpAnswer asked(const std::string& body) const {
    auto start = Clock::now();
    double pause = kFirstPauseS;
    for (std::int64_t tries = 1;; ++tries, pause *= 2) {
      auto answer = client_->post(
          body, tries == 1 ? answer_limit_s_ : answer_limit_s_ - seconds_since(start));
      if (tries == 1) start = answer.began;
      const bool again =
          answer.may_pass && tries <= retries_ && seconds_since(start) + pause < answer_limit_s_;
      if (!again) {
        if (!answer.problem.empty() && tries > 1)
          answer.problem += fmt::format(" (after {} tries)", tries);
        return answer;
      }
      std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    }
  }

  RewardOptions options_;
  bool verifier_;
  std::int64_t concurrency_;
  std::int64_t retries_;
  double answer_limit_s_;
  std::string where_;
  mutable std::once_flag reached_;
  mutable std::unique_ptr<HttpClient> client_;
};

}  // namespace

std::unique_ptr<Reward> make_http_reward(const RewardOptions& options) {
  return std::make_unique<HttpReward>(options);
}

}  // namespace aha
