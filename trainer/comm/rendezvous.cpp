#include "trainer/comm/rendezvous.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "trainer/core/error.h"
#include "trainer/core/file.h"

namespace aha {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "?";
  return name.data();
}

std::string machine_id() {
  try {
    return read_file("/proc/sys/kernel/random/boot_id");
  } catch (const UserError&) {
    return host_name();
  }
}

namespace {

struct FreeAddresses {
  void operator()(addrinfo* first) const { ::freeaddrinfo(first); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Null: none.
Addresses addresses_of(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  return Addresses(found);
}

}  // namespace

std::string own_address(const std::string& master, int port) {
  const auto addresses = addresses_of(master, port);
  if (!addresses)
    throw CommError(fmt::format("'{}' is no address that can be resolved (MASTER_ADDR)", master));
  std::string result;
  for (const addrinfo* a = addresses.get(); a != nullptr && result.empty(); a = a->ai_next) {
    const int fd = ::socket(a->ai_family, a->ai_socktype, 0);
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    std::array<char, NI_MAXHOST> text{};
    // connecting a datagram socket sends nothing
    if (fd >= 0 && ::connect(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) == 0)
      result = text.data();
    if (fd >= 0) ::close(fd);
  }
  if (result.empty()) throw CommError(fmt::format("no network leads to {} (MASTER_ADDR)", master));
  return result;
}

bool is_this_host(const std::string& host) {
  const auto addresses = addresses_of(host, 0);
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    const int fd = ::socket(a->ai_family, a->ai_socktype, 0);
    const bool own = fd >= 0 && ::bind(fd, a->ai_addr, a->ai_addrlen) == 0;
    if (fd >= 0) ::close(fd);
    if (own) return true;
  }
  return false;
}

}  // namespace aha
