#pragma once
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "trainer/core/clock.h"

namespace aha {

/// Where requests go by when nothing else is said.
inline constexpr const char* kProxyOfEnvironment = "environment";
inline constexpr const char* kNoProxy = "none";

struct HttpOptions {
  std::string url;      ///< http:// or https://, without a user's name
  std::string ca_file;  ///< certificates that are trusted instead of the system's; empty: those
  std::string token;    ///< sent as `Authorization: Bearer`; empty: none
  std::string proxy = kProxyOfEnvironment;  ///< or kNoProxy, or a URL like `url`
  std::int64_t connections = 1;             ///< at most, kept open between requests
};

/// How a request went.
struct HttpAnswer {
  Clock::time_point began{};  ///< when a connection was free for the request
  long status = 0;            ///< 0: no answer
  std::string body;
  std::string problem;    ///< empty: the status is 2xx and all of the body is here
  bool may_pass = false;  ///< a problem that another try may not have: no connection, 429, 5xx
};

/// UserError "WHERE: option 'OPTION' is ..." for a text that is no URL of http or https, or holds a user's name or a
/// password.
void check_url(const std::string& where, const std::string& option, const std::string& text);

/// Posts JSON to one URL through libcurl, from many threads. A server's certificate is always verified; an
/// answer that points elsewhere is not followed; an answer has at most `most_bytes`.
class HttpClient {
 public:
  /// The URLs have passed check_url. UserError for a file of certificates that is not there; `where` goes before
  /// it. No connection is made yet.
  HttpClient(const std::string& where, HttpOptions options, std::size_t most_bytes);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Waits for a connection to be free, then at most `limit_s` for the answer.
  HttpAnswer post(const std::string& body, double limit_s);

 private:
  class Lease;
  void* new_handle();

  const HttpOptions options_;
  const std::size_t most_bytes_;
  void* headers_ = nullptr;  ///< curl_slist
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<void*> free_;  ///< CURL: each keeps its connection
};

}  // namespace aha
