#include "trainer/comm/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "trainer/core/error.h"

namespace aha {
namespace {

std::optional<sockaddr_in> place_of(int file) {
  sockaddr_in place{};
  socklen_t size = sizeof place;
  if (::getsockname(file, reinterpret_cast<sockaddr*>(&place), &size) != 0 ||
      place.sin_family != AF_INET)
    return std::nullopt;
  return place;
}

bool listens(int file) {
  int answer = 0;
  socklen_t size = sizeof answer;
  return ::getsockopt(file, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 && answer != 0;
}

}  // namespace

Listener::Listener() : file_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (file_ < 0 || ::bind(file_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(file_, SOMAXCONN) != 0) {
    const std::string why = std::strerror(errno);
    close();
    fail("--nproc: cannot listen on 127.0.0.1: {}", why);
  }
  port_ = ntohs(place_of(file_)->sin_port);
}

int Listener::give() {
  return std::exchange(file_, -1);
}

void Listener::close() {
  if (file_ >= 0) ::close(give());
}

void keep_on_exec(int file) {
  ::fcntl(file, F_SETFD, 0);
}

int inherited_listener(int file, const std::string& address, int port) {
  if (file < 0 || !listens(file)) return -1;
  const auto place = place_of(file);
  in_addr wanted{};
  if (!place || ntohs(place->sin_port) != port ||
      ::inet_pton(AF_INET, address.c_str(), &wanted) != 1 ||
      place->sin_addr.s_addr != wanted.s_addr)
    return -1;
  ::fcntl(file, F_SETFD, FD_CLOEXEC);
  return file;
}

}  // namespace aha
