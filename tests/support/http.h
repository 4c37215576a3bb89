#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace aha_test {

/// A connection to a port of this machine; -1: refused.
inline int connected(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

/// What is sent over a connection until its other end closes it.
inline std::string all_from(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t n = 0; (n = recv(fd, block.data(), block.size(), 0)) > 0;)
    text.append(block.data(), static_cast<std::size_t>(n));
  close(fd);
  return text;
}

/// The answer to a request, byte for byte; empty: nobody listens, or there is none.
inline std::string answer(std::uint16_t port, const std::string& request) {
  const int fd = connected(port);
  if (fd < 0) return "";
  (void)!send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  return all_from(fd);
}

inline std::string http_get(std::uint16_t port, const std::string& path) {
  return answer(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/// Behind the header.
inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace aha_test
