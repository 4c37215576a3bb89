#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aha {

/// Where a server listens.
struct ListenAddress {
  std::string address;     ///< IPv4 or IPv6, as a number
  std::uint16_t port = 0;  ///< 0: any that is free

  /// "127.0.0.1:9464", "[::1]:9464".
  std::string text() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Of "PORT" (at 127.0.0.1), "ADDRESS:PORT" or "[ADDRESS]:PORT"; `localhost` is 127.0.0.1. Nothing for any other
/// text: names of hosts are not looked up.
std::optional<ListenAddress> listen_address(std::string_view text);

}  // namespace aha
