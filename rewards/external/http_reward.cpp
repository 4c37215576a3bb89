#include "rewards/registry.h"

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

/// A scorer behind a URL: the requests of protocol.h as the bodies of POSTs, answered by bodies; `id` may be
/// left out of an answer. `reach` sends the greeting: a server that is not there, or speaks otherwise, is
/// an error before anything is computed.
///
/// Options: `url`, `concurrency` (requests at a time, each over a connection of its own that is kept),
/// `answer_limit_s` of an attempt with all its tries, `retries` of a connection that fails, 429 and 5xx (after
/// 0.1 s, 0.2 s, 0.4 s, ...), `ca_file`, `token_env` (names an environment variable with a bearer token), `proxy`
/// (`environment`: http_proxy, https_proxy, all_proxy and no_proxy say, as they do to curl; `none`; or its URL),
/// `verifier` (whether it tells right from wrong).
///
/// What gets no answer cannot be judged. Certificates are always verified, and redirects not followed.
RewardInfo http_reward() {
  return {"http",
          "what a server of yours says, by POST; rewards/README.md has the bodies",
          {{"url", "", "http:// or https://; certificates are always verified", false},
           {"concurrency", "8", "requests at a time", false},
           {"answer_limit_s", "10", "for an answer, with all tries", false},
           {"retries", "3", "of a failed connection, 429 and 5xx", false},
           {"ca_file", "", "trusted certificates instead of the system's", false},
           {"token_env", "", "environment variable with a bearer token", false},
           {"proxy", "environment", "environment (http_proxy, ...), none, or a URL", false},
           {"verifier", "true", "whether it tells right from wrong", false}},
          made<HttpReward>};
}

}  // namespace aha
