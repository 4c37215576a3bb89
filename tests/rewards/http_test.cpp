// Scorers behind a URL, on this machine: good ones, slow ones, failing ones and hostile ones.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include "tests/rewards/external_support.h"
#include "tests/support/catch.h"
#include "tests/support/http_server.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

using Options = std::map<std::string, std::string>;

/// Greets, and answers requests by what `judge` makes of them.
HttpServer::Answer scorer(std::function<std::string(const Json& request)> judge) {
  return [judge = std::move(judge)](const std::string&, const std::string& body) {
    const auto request = Json::parse(body);
    if (request.contains("protocol"))
      return http_answer("200 OK", R"({"protocol": "aha-scorer", "version": 1})");
    return judge(request);
  };
}

std::string right(const Json& request) {
  return http_answer("200 OK", Json{{"id", request["id"]},
                                    {"score", request["completion"] == "right" ? 1 : 0},
                                    {"breakdown", {{"reason", request["prompt"]}}}}
                                   .dump());
}

std::unique_ptr<Reward> reward_of(const std::string& url, Options options = {}) {
  setenv("no_proxy", "127.0.0.1", 1);
  options["url"] = url;
  options.emplace("answer_limit_s", "5");
  auto reward = make_reward("http", options);
  reward->reach();
  return reward;
}

RewardPart judged(const HttpServer& server, const std::string& text, const Options& options = {}) {
  return Judged{.text = text, .prompt = "why"}.by(*reward_of(server.url(), options));
}

}  // namespace

TEST_CASE("http: a completion is posted and the answer is its score", "[external]") {
  std::mutex mutex;
  std::string head;
  Json seen;
  const auto good = scorer([&](const Json& request) {
    const std::lock_guard lock(mutex);
    seen = request;
    return right(request);
  });
  HttpServer server([&](const std::string& h, const std::string& body) {
    head = h;
    return good(h, body);
  });
  setenv("AHA_TEST_TOKEN", "s3cret", 1);
  const auto reward = reward_of(server.url(), {{"token_env", "AHA_TEST_TOKEN"}});
  const auto part = Judged{.text = "right", .row = {{"answer", 7}}, .prompt = "why"}.by(*reward);
  CHECK(part.score == 1.0);
  CHECK(part.reason == "why");
  CHECK(Judged{.text = "wrong"}.by(*reward).score == 0.0);
  CHECK(seen["completion"] == "wrong");
  CHECK_THAT(head, contains("POST /score HTTP/1.1") && contains("Authorization: Bearer s3cret") &&
                       contains("Content-Type: application/json"));
  // one connection, kept
  CHECK(server.requests() == 3);
  CHECK(server.connections() == 1);
}

TEST_CASE("http: as many requests as asked for are on their way at a time", "[external]") {
  HttpServer server(scorer([](const Json& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return right(request);
  }));
  const auto reward = reward_of(server.url(), {{"concurrency", "3"}});
  CHECK(reward->concurrency() == 3);
  std::vector<std::thread> threads;
  std::atomic<int> points{0};
  for (int i = 0; i < 9; ++i)
    threads.emplace_back(
        [&] { points += Judged{.text = "right"}.by(*reward).score == 1.0 ? 1 : 0; });
  for (auto& thread : threads)
    thread.join();
  CHECK(points == 9);
  CHECK(server.most_at_once() == 3);
  CHECK(server.connections() == 3);
}

TEST_CASE("http: errors that may pass are tried again, others are not", "[external]") {
  for (const char* status : {"503 Service Unavailable", "500 Oops", "429 Too Many Requests"}) {
    INFO(status);
    std::atomic<int> failures{2};
    HttpServer server(scorer([&](const Json& request) {
      return failures-- > 0 ? http_answer(status, "busy") : right(request);
    }));
    CHECK(judged(server, "right").score == 1.0);
    CHECK(server.requests() == 4);
  }
  HttpServer closing(scorer(
      [n = 2](const Json& request) mutable { return n-- > 0 ? std::string() : right(request); }));
  CHECK(judged(closing, "right").score == 1.0);

  HttpServer busy(scorer([](const Json&) { return http_answer("503 No", "overloaded\n"); }));
  const auto part = judged(busy, "right", {{"retries", "2"}});
  CHECK_FALSE(part.score);
  CHECK(part.reason == "HTTP 503: overloaded (after 3 tries)");
  CHECK(busy.requests() == 4);

  HttpServer absent(scorer([](const Json&) { return http_answer("404 Not Found", ""); }));
  CHECK(judged(absent, "right").reason == "HTTP 404");
  CHECK(absent.requests() == 2);
}

TEST_CASE("http: the time limit holds for all tries together", "[external]") {
  HttpServer slow(scorer([](const Json& request) {
    std::this_thread::sleep_for(std::chrono::milliseconds(600));
    return right(request);
  }));
  HttpServer busy(scorer([](const Json&) { return http_answer("503 No", ""); }));
  for (const auto* server : {&slow, &busy}) {
    const auto reward = reward_of(server->url(), {{"answer_limit_s", "0.3"}, {"retries", "60"}});
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(Judged{.text = "right"}.by(*reward).score);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    CHECK(took.count() < 0.55);
  }
}

TEST_CASE("http: an answer that is none cannot be judged", "[external]") {
  const std::map<std::string, std::string> reasons = {
      {http_answer("200 OK", "not JSON"), "not valid JSON"},
      {http_answer("200 OK", "[]"), "is no JSON object"},
      {http_answer("200 OK", "{}"), "an answer without a score"},
      {http_answer("200 OK", R"({"id": "x", "score": 1})"), "an answer to another request"},
      {http_answer("200 OK", std::string(std::size_t{2} << 20, ' ')),
       "an answer of more than 1048576 bytes"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" +
           std::string(std::size_t{4} << 20, 'x'),
       "an answer of more than 1048576 bytes"},
      {http_answer("302 Found", "", "Location: file:///etc/passwd\r\n"),
       "HTTP 302, which points elsewhere"},
      {"no HTTP at all\r\n\r\n", ""}};
  for (const auto& [answer, reason] : reasons) {
    INFO(answer.substr(0, 80));
    HttpServer server(scorer([&](const Json&) { return answer; }));
    const auto part = judged(server, "right", {{"retries", "0"}});
    CHECK_FALSE(part.score);
    CHECK_FALSE(part.reason.empty());
    CHECK_THAT(part.reason, contains(reason));
  }
  HttpServer without_id(
      scorer([](const Json&) { return http_answer("200 OK", R"({"score": 0.5})"); }));
  CHECK(judged(without_id, "right").score == 0.5);
}

TEST_CASE("http: a redirect is not followed, on this machine neither", "[external]") {
  HttpServer target(scorer(right));
  HttpServer server(scorer([&](const Json&) {
    return http_answer("307 Temporary Redirect", "", "Location: " + target.url() + "\r\n");
  }));
  CHECK_FALSE(judged(server, "right").score);
  CHECK(target.connections() == 0);
}

TEST_CASE("http: a proxy is the environment's, the option's, or none", "[external]") {
  std::mutex mutex;
  std::string head;
  const HttpServer proxy([&](const std::string& h, const std::string& body) {
    const std::lock_guard lock(mutex);
    head = h;
    return scorer(right)(h, body);
  });
  const HttpServer server(scorer(right));
  const std::string far = "http://scorer.invalid/score";
  const std::string port = proxy.url().substr(0, proxy.url().rfind('/'));
  setenv("http_proxy", port.c_str(), 1);
  CHECK(Judged{.text = "right"}.by(*reward_of(far)).score == 1.0);
  CHECK_THAT(head, contains("POST http://scorer.invalid/score HTTP/1.1"));
  CHECK(proxy.requests() == 2);
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  CHECK(Judged{.text = "right"}.by(*reward_of(far, {{"proxy", port}})).score == 1.0);
  CHECK(proxy.requests() == 4);
  unsetenv("no_proxy");  // reward_of sets it, and only what is reached afterwards looks
  const auto direct = make_reward("http", {{"url", server.url()}, {"proxy", "none"}});
  CHECK(Judged{.text = "right"}.by(*direct).score == 1.0);
  const auto through =
      make_reward("http", {{"url", server.url()}, {"retries", "0"}, {"answer_limit_s", "5"}});
  CHECK_THROWS_AS(through->reach(), UserError);
  unsetenv("http_proxy");
  CHECK_THAT(error_of([&] {
               reward_of(far, {{"proxy", "socks"}});
             }),
             contains("option 'proxy' is 'socks', expected http://... or https://..."));
}

TEST_CASE("http: a server that cannot be used is an error at the start", "[external]") {
  const auto start_error = [](const std::string& url, const Options& options = {}) {
    return error_of([&] { reward_of(url, options); });
  };
  std::string gone;
  {
    const HttpServer server(scorer(right));
    gone = server.url();
  }
  CHECK_THAT(start_error(gone, {{"retries", "1"}}),
             contains("reward 'http': " + gone + ": ") && contains("(after 2 tries)"));
  HttpServer other([](const std::string&, const std::string&) {
    return http_answer("200 OK", R"({"protocol": "aha-scorer", "version": 9})");
  });
  CHECK_THAT(start_error(other.url()), contains("it speaks version 9 of the protocol, expected 1"));
  HttpServer page([](const std::string&, const std::string&) {
    return http_answer("200 OK", "<html>Welcome</html>");
  });
  CHECK_THAT(start_error(page.url()), contains("it answered '<html>Welcome</html>', expected {"));
  for (const char* url : {"", "127.0.0.1:80", "file:///etc/passwd", "ftp://127.0.0.1/", "http://"})
    CHECK_THAT(start_error(url), contains("expected http://... or https://..."));
  for (const char* url : {"http://user:secret@127.0.0.1/", "http://:secret@127.0.0.1/"})
    CHECK_THAT(start_error(url), contains("holds a user's name") && !contains("secret"));
  CHECK_THAT(start_error("htps://user:secret@127.0.0.1/"),
             contains("expected http://...") && !contains("secret"));
  CHECK_THAT(start_error(gone, {{"ca_file", "no/such/file"}}),
             contains("'ca_file' is 'no/such/file', expected a file of certificates"));
  CHECK_THAT(start_error(gone, {{"token_env", "AHA_TEST_NO_TOKEN"}}),
             contains("names AHA_TEST_NO_TOKEN, which is not set"));
}
