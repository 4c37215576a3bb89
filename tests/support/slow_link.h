#pragma once
#include <arpa/inet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/namespaces.h"

namespace aha_test {

/// Two network namespaces and a link between them that delays packets, loses some, and can be cut. What `tc netem` does
/// on kernels that have it, in user space: a TUN device on either side and a thread between them. The calling process is
/// in neither, and in a user namespace of its own, from then on.
class SlowLink {
 public:
  /// Why there is none; empty: there is one.
  const std::string& missing() const { return missing_; }

  SlowLink(std::chrono::microseconds delay, double loss) : delay_(delay), loss_(loss) {
    if (!become_root_of_namespace()) {
      missing_ = "no user namespaces are allowed here";
      return;
    }
    for (auto& side : sides_)
      if (!open_side(side, address(static_cast<int>(&side - sides_.data())))) {
        missing_ = std::string("no TUN device in a network namespace: ") + std::strerror(errno);
        return;
      }
    thread_ = std::thread([this] { run(); });
  }
  ~SlowLink() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    for (const auto& side : sides_)
      for (const int fd : {side.space, side.device})
        if (fd >= 0) close(fd);
  }
  SlowLink(const SlowLink&) = delete;
  SlowLink& operator=(const SlowLink&) = delete;

  static std::string address(int side) { return "10.99.0." + std::to_string(side + 1); }

  /// The calling process is on that side from now on.
  void enter(int side) const {
    if (setns(sides_[static_cast<std::size_t>(side)].space, CLONE_NEWNET) != 0) _exit(126);
  }

  void cut(bool off) { cut_ = off; }
  int lost() const { return lost_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Packet {
    Clock::time_point due;
    std::vector<char> bytes;
  };
  struct Side {
    int space = -1;
    int device = -1;
    std::deque<Packet> arriving;
  };

  static bool open_side(Side& side, const std::string& address) {
    if (unshare(CLONE_NEWNET) != 0) return false;
    side.space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    side.device = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    ifreq request{};
    std::strcpy(request.ifr_name, "link");
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    return side.device >= 0 && ioctl(side.device, TUNSETIFF, &request) == 0 &&
           bring_up("lo", "127.0.0.1", "255.0.0.0") && bring_up("link", address, "255.255.255.0");
  }

  static bool bring_up(const char* name, const std::string& address, const std::string& mask) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto set = [&](unsigned long what, const std::string& value) {
      ifreq request{};
      std::strcpy(request.ifr_name, name);
      sockaddr_in place{};
      place.sin_family = AF_INET;
      inet_pton(AF_INET, value.c_str(), &place.sin_addr);
      std::memcpy(&request.ifr_addr, &place, sizeof place);
      return ioctl(fd, what, &request) == 0;
    };
    ifreq flags{};
    std::strcpy(flags.ifr_name, name);
    flags.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool up = set(SIOCSIFADDR, address) && set(SIOCSIFNETMASK, mask) &&
                    ioctl(fd, SIOCSIFFLAGS, &flags) == 0;
    close(fd);
    return up;
  }

  void run() {
    std::mt19937 random(1);
    std::uniform_real_distribution<double> unit;
    while (!ending_) {
      std::array<pollfd, 2> files{{{sides_[0].device, POLLIN, 0}, {sides_[1].device, POLLIN, 0}}};
      poll(files.data(), files.size(), 1);
      for (std::size_t i = 0; i < 2; ++i) {
        take(sides_[i].device, sides_[1 - i], [&] { return cut_ || unit(random) < loss_; });
        deliver(sides_[i]);
      }
    }
  }

  template <class Loses>
  void take(int device, Side& other, const Loses& loses) {
    std::array<char, 65536> bytes{};
    for (ssize_t n = 0; (n = read(device, bytes.data(), bytes.size())) > 0;) {
      if (loses())
        ++lost_;
      else
        other.arriving.push_back({Clock::now() + delay_, {bytes.begin(), bytes.begin() + n}});
    }
  }

  static void deliver(Side& side) {
    for (; !side.arriving.empty() && side.arriving.front().due <= Clock::now();
         side.arriving.pop_front()) {
      const auto& bytes = side.arriving.front().bytes;
      (void)!write(side.device, bytes.data(), bytes.size());
    }
  }

  std::chrono::microseconds delay_;
  double loss_;
  std::string missing_;
  std::array<Side, 2> sides_;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> ending_ = false;
  std::atomic<int> lost_ = 0;
  std::thread thread_;
};

}  // namespace aha_test
