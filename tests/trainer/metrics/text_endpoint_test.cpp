#include "trainer/metrics/text_endpoint.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/error_of.h"
#include "tests/support/http.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

TextEndpoint::Page page_of(std::function<std::string()> body) {
  return {"/metrics", "text/plain; version=0.0.4; charset=utf-8", std::move(body)};
}

std::string first_line(const std::string& answer) {
  return answer.substr(0, answer.find("\r\n"));
}

}  // namespace

TEST_CASE("endpoint: one page is served, as it is at the time, and nothing else") {
  std::atomic<int> calls = 0;
  const TextEndpoint endpoint("127.0.0.1", 0,
                              page_of([&] { return "call " + std::to_string(++calls) + "\n"; }));
  const auto port = endpoint.port();
  const auto first = http_get(port, "/metrics");
  CHECK(first_line(first) == "HTTP/1.1 200 OK");
  CHECK_THAT(first, contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") &&
                        contains("\r\nContent-Length: 7\r\n") &&
                        contains("\r\nConnection: close\r\n"));
  CHECK(body_of(first) == "call 1\n");
  CHECK(body_of(http_get(port, "/metrics?x=1")) == "call 2\n");
  const auto head = answer(port, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(head, contains("Content-Length: 7\r\n"));
  CHECK(body_of(head).empty());
  for (const char* path : {"/", "/metrics/", "/metric", "/metrics/../x", "*"})
    CHECK(first_line(http_get(port, path)) == "HTTP/1.1 404 Not Found");
  const auto post = answer(port, "POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  CHECK(first_line(post) == "HTTP/1.1 405 Method Not Allowed");
  CHECK_THAT(post, contains("\r\nAllow: GET, HEAD\r\n"));
  CHECK(calls == 3);
}

TEST_CASE("endpoint: what is no request, too long, or has a body is refused") {
  const TextEndpoint endpoint("127.0.0.1", 0, page_of([] { return "x\n"; }));
  for (const std::string& request :
       {std::string("nonsense\r\n\r\n"), std::string(100'000, 'x'),
        "GET /metrics HTTP/1.1\r\nHost: " + std::string(9000, 'h') + "\r\n\r\n",
        std::string("GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello")}) {
    INFO(request.substr(0, 40));
    const auto said = answer(endpoint.port(), request);
    // bytes that nobody reads any more may reset the connection before its answer is seen
    CHECK((said.empty() || first_line(said) == "HTTP/1.1 400 Bad Request"));
  }
  CHECK(body_of(http_get(endpoint.port(), "/metrics")) == "x\n");
}

TEST_CASE("endpoint: connections that say nothing are bounded and do not hold up the others") {
  const TextEndpoint endpoint("127.0.0.1", 0, page_of([] { return "x\n"; }));
  std::vector<int> idle;
  idle.reserve(7);
  for (int i = 0; i < 7; ++i)
    idle.push_back(connected(endpoint.port()));
  CHECK(body_of(http_get(endpoint.port(), "/metrics")) == "x\n");
  for (int i = 0; i < 20; ++i)
    idle.push_back(connected(endpoint.port()));
  // those beyond the bound are closed at once, the last one among them
  CHECK(all_from(idle.back()).empty());
  idle.pop_back();
  std::for_each(idle.begin(), idle.end(), [](int fd) { close(fd); });
}

TEST_CASE("endpoint: a page that cannot be made is an error of that request alone") {
  std::atomic<bool> broken = true;
  const TextEndpoint endpoint("127.0.0.1", 0, page_of([&]() -> std::string {
                                if (broken) throw std::runtime_error("no");
                                return "x\n";
                              }));
  CHECK(first_line(http_get(endpoint.port(), "/metrics")) == "HTTP/1.1 500 Internal Server Error");
  broken = false;
  CHECK(body_of(http_get(endpoint.port(), "/metrics")) == "x\n");
}

TEST_CASE(
    "endpoint: a port that is taken is an error that names it, and is free again afterwards") {
  std::uint16_t port = 0;
  {
    const TextEndpoint endpoint("127.0.0.1", 0, page_of([] { return ""; }));
    port = endpoint.port();
    CHECK_THAT(error_of([&] { TextEndpoint("127.0.0.1", port, page_of([] { return ""; })); }),
               contains("cannot listen at 127.0.0.1:" + std::to_string(port) +
                        ": Address already in use"));
    CHECK_THAT(error_of([&] { TextEndpoint("192.0.2.1", 9464, page_of([] { return ""; })); }),
               contains("cannot listen at 192.0.2.1:9464: Cannot assign requested address"));
  }
  CHECK(connected(port) == -1);
  const TextEndpoint again("127.0.0.1", port, page_of([] { return "x\n"; }));
  CHECK(body_of(http_get(port, "/metrics")) == "x\n");
}
