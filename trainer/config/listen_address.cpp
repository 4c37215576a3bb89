#include "trainer/config/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace aha {
namespace {

constexpr std::string_view kLoopback = "127.0.0.1";

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return port;
}

bool is_address(const std::string& text, int family) {
  in6_addr parsed{};  // has room for either
  return ::inet_pton(family, text.c_str(), &parsed) == 1;
}

}  // namespace

std::string ListenAddress::text() const {
  const bool six = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", six ? "[" : "", address, six ? "]" : "", port);
}

std::optional<ListenAddress> listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port = port_in(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string host(colon == std::string_view::npos ? kLoopback : text.substr(0, colon));
  if (host == "localhost") host = kLoopback;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!is_address(host, bracketed ? AF_INET6 : AF_INET)) return std::nullopt;
  return ListenAddress{host, *port};
}

}  // namespace aha
