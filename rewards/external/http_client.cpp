#include "rewards/external/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

#include "rewards/external/sigpipe.h"
#include "rewards/text_scan.h"
#include "trainer/core/error.h"
#include "trainer/core/version.h"

namespace aha {
namespace {

constexpr long kOk = 200;
constexpr long kRedirects = 300;
constexpr long kRefused = 400;
constexpr long kTooMany = 429;
constexpr long kServerErrors = 500;

struct Body {
  std::string text;
  std::size_t most;
  bool too_long = false;
};

std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* context) {
  auto& body = *static_cast<Body*>(context);
  body.too_long = size * count > body.most - body.text.size();
  if (body.too_long) return 0;
  body.text.append(bytes, size * count);
  return size * count;
}

/// A try may fail for a reason that is gone at the next one.
bool may_pass(CURLcode code) {
  constexpr std::array kPassing = {
      CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
      CURLE_GOT_NOTHING,          CURLE_PARTIAL_FILE,    CURLE_HTTP2,      CURLE_HTTP2_STREAM};
  return std::find(kPassing.begin(), kPassing.end(), code) != kPassing.end();
}

std::string status_problem(long status, const std::string& body) {
  if (status >= kOk && status < kRedirects) return "";
  auto text = fmt::format("HTTP {}", status);
  if (status >= kRedirects && status < kRefused)
    return text + ", which points elsewhere: name that URL instead";
  const auto said = clipped(trimmed(body));
  return said.empty() ? text : text + ": " + said;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

void check_url(const std::string& where, const std::string& option, const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  const bool parsed = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  const auto scheme = parsed ? part_of(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https")
    fail("{}: option '{}' is '{}', expected http://... or https://...", where, option,
         text.find('@') == std::string::npos ? text : "(not shown, it may hold a password)");
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty())
    fail("{}: option '{}' holds a user's name or a password, which stay out of configurations",
         where, option);
}

/// A handle taken from the client for one request.
class HttpClient::Lease {
 public:
  explicit Lease(HttpClient& client) : client_(client) {
    std::unique_lock lock(client.mutex_);
    client.freed_.wait(lock, [&] { return !client.free_.empty(); });
    handle_ = client.free_.back();
    client.free_.pop_back();
  }
  ~Lease() {
    {
      const std::lock_guard lock(client_.mutex_);
      client_.free_.push_back(handle_);
    }
    client_.freed_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  CURL* handle() const { return handle_; }

 private:
  HttpClient& client_;
  void* handle_;
};

HttpClient::HttpClient(const std::string& where, HttpOptions options, std::size_t most_bytes)
    : options_(std::move(options)), most_bytes_(most_bytes) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  check(ready == CURLE_OK, "libcurl can be used");
  std::error_code error;
  if (!options_.ca_file.empty() && !std::filesystem::is_regular_file(options_.ca_file, error))
    fail("{}: option 'ca_file' is '{}', expected a file of certificates", where, options_.ca_file);
  // without "Expect" a large body is sent at once
  for (const auto& header :
       {std::string("Content-Type: application/json"), std::string("Expect:"),
        options_.token.empty() ? "" : "Authorization: Bearer " + options_.token})
    if (!header.empty())
      headers_ = curl_slist_append(static_cast<curl_slist*>(headers_), header.c_str());
  for (std::int64_t i = 0; i < options_.connections; ++i)
    free_.push_back(new_handle());
}

HttpClient::~HttpClient() {
  const NoSigpipe quiet;
  for (void* handle : free_)
    curl_easy_cleanup(handle);
  curl_slist_free_all(static_cast<curl_slist*>(headers_));
}

void* HttpClient::new_handle() {
  CURL* handle = curl_easy_init();
  check(handle != nullptr, "libcurl makes a handle");
  curl_easy_setopt(handle, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (options_.proxy != kProxyOfEnvironment)
    curl_easy_setopt(handle, CURLOPT_PROXY,
                     options_.proxy == kNoProxy ? "" : options_.proxy.c_str());
  if (!options_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(headers_));
  curl_easy_setopt(handle, CURLOPT_USERAGENT, (std::string("aha/") + kVersion).c_str());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
  return handle;
}

HttpAnswer HttpClient::post(const std::string& body, double limit_s) {
  const Lease lease(*this);
  const auto began = Clock::now();
  const NoSigpipe quiet;
  CURL* handle = lease.handle();
  Body received{"", most_bytes_};
  std::array<char, CURL_ERROR_SIZE> said{};
  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(limit_s * 1000)));
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, said.data());
  const CURLcode code = curl_easy_perform(handle);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, nullptr);
  HttpAnswer answer;
  answer.began = began;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
  if (received.too_long) {
    answer.problem = fmt::format("an answer of more than {} bytes", most_bytes_);
  } else if (code != CURLE_OK) {
    answer.problem = said[0] != '\0' ? said.data() : curl_easy_strerror(code);
    answer.may_pass = may_pass(code);
  } else {
    answer.problem = status_problem(answer.status, received.text);
    answer.may_pass = answer.status == kTooMany || answer.status >= kServerErrors;
  }
  answer.body = std::move(received.text);
  return answer;
}

}  // namespace aha
