#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <thread>

namespace aha_test {

/// A server on a port of this machine for clients that post: each request with a body of a stated length is
/// given to `answer`, and what that returns is sent as it is. An empty answer closes the connection.
class HttpServer {
 public:
  using Answer = std::function<std::string(const std::string& head, const std::string& body)>;

  explicit HttpServer(Answer answer)
      : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    (void)!bind(listener_, plain, size);
    (void)!listen(listener_, 64);
    (void)!getsockname(listener_, plain, &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~HttpServer() {
    end_ = true;
    accepting_.join();
    for (auto& thread : threads_)
      thread.join();
    close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/score"; }
  int connections() const { return connections_; }
  int requests() const { return requests_; }
  /// Of the requests at one time the most.
  int most_at_once() const { return most_; }

 private:
  bool readable(int file) const {
    pollfd what{file, POLLIN, 0};
    while (!end_)
      if (poll(&what, 1, 20) > 0) return true;
    return false;
  }

  void accept_all() {
    while (readable(listener_)) {
      const int file = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (file < 0) continue;
      ++connections_;
      threads_.emplace_back([this, file] {
        serve(file);
        close(file);
      });
    }
  }

  /// Reads until `bytes` holds `count` bytes.
  bool fill(int file, std::string& bytes, std::size_t count) const {
    std::array<char, 65536> block{};
    while (bytes.size() < count) {
      const auto n = readable(file) ? recv(file, block.data(), block.size(), 0) : 0;
      if (n <= 0) return false;
      bytes.append(block.data(), static_cast<std::size_t>(n));
    }
    return true;
  }

  void serve(int file) {
    for (std::string bytes; fill(file, bytes, bytes.size() + 1);) {
      const auto end = bytes.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      const auto head = bytes.substr(0, end);
      const auto length = head.find("Content-Length: ");
      const auto size = length == std::string::npos ? 0 : std::stoul(head.substr(length + 16));
      if (!fill(file, bytes, end + 4 + size)) return;
      const int now = ++at_once_;
      most_ = std::max<int>(most_, now);
      ++requests_;
      const auto text = answer_(head, bytes.substr(end + 4, size));
      --at_once_;
      bytes.erase(0, end + 4 + size);
      if (text.empty() || !send_all(file, text)) return;
    }
  }

  static bool send_all(int file, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
      const auto n = send(file, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }

  Answer answer_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> end_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::atomic<int> at_once_{0};
  std::atomic<int> most_{0};
  std::list<std::thread> threads_;
  std::thread accepting_;
};

/// A whole answer.
inline std::string http_answer(const std::string& status, const std::string& body,
                               const std::string& more_headers = "") {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + more_headers + "\r\n" + body;
}

}  // namespace aha_test
