#include "trainer/comm/neighbours.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <random>
#include <stdexcept>

#include "trainer/comm/rendezvous.h"
#include "trainer/core/bytes.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"

namespace aha {
namespace {

/// Process numbers mean the same in one namespace of one machine.
std::string namespace_of_processes() {
  struct stat info {};
  if (::stat("/proc/self/ns/pid", &info) != 0) return "";
  return machine_id() + "/" + std::to_string(info.st_ino);
}

}  // namespace

Neighbours::Neighbours(int rank, double timeout_s)
    : rank_(rank), timeout_s_(timeout_s), slots_(new Slot[kCalls]) {
  std::random_device random;
  for (auto& word : probe_)
    word = (std::uint64_t{random()} << 32) | random();
  // refused where there is no Yama, which then asks for nothing
  if (const pid_t parent = ::getppid(); parent > 1)
    (void)::prctl(PR_SET_PTRACER, static_cast<unsigned long>(parent), 0UL, 0UL, 0UL);
}

std::string Neighbours::introduction() const {
  ByteWriter out;
  out.add(namespace_of_processes());
  out.add(Other{::getpid(), reinterpret_cast<std::uint64_t>(slots_)});
  out.add(reinterpret_cast<std::uint64_t>(&probe_));
  out.add(probe_);
  return out.take();
}

bool Neighbours::reach(const std::vector<std::string>& introductions) {
  const std::string here = namespace_of_processes();
  others_.clear();
  for (const auto& text : introductions) {
    ByteReader in(text);
    if (here.empty() || in.text() != here) return false;
    others_.push_back(in.get<Other>());
    const auto address = in.get<std::uint64_t>();
    const auto expected = in.get<decltype(probe_)>();
    decltype(probe_) found{};
    try {
      read(static_cast<int>(others_.size()) - 1, address, &found, sizeof found);
    } catch (const std::runtime_error&) {
      return false;
    }
    if (found != expected) return false;
  }
  reached_ = true;
  return true;
}

void Neighbours::withdraw() const {
  (void)::prctl(PR_SET_PTRACER, 0UL, 0UL, 0UL, 0UL);
}

void Neighbours::post(std::int64_t call, const void* place, std::size_t bytes) {
  Slot& slot = slots_[static_cast<std::size_t>(call % kCalls)];
  slot.extent = {reinterpret_cast<std::uint64_t>(place), bytes};
  slot.posted.store(call, std::memory_order_release);
}

void Neighbours::finish(std::int64_t call) {
  slots_[static_cast<std::size_t>(call % kCalls)].finished.store(call, std::memory_order_release);
}

std::uint64_t Neighbours::slot_of(int rank, std::int64_t call) const {
  return others_[static_cast<std::size_t>(rank)].slots +
         static_cast<std::uint64_t>(call % kCalls) * sizeof(Slot);
}

/// A number is stored whole: one that is seen to be there is, however it was copied.
std::int64_t Neighbours::look(int rank, std::uint64_t address) const {
  std::int64_t number = 0;
  read(rank, address, &number, sizeof number);
  return number;
}

template <class Ready>
void Neighbours::wait_for(int rank, std::uint64_t address, double limit_s,
                          const Ready& ready) const {
  constexpr int kLooks = 50;  // before it sleeps: some 20 microseconds
  const auto start = Clock::now();
  for (int looks = 0; !ready(look(rank, address)); ++looks) {
    if (looks < kLooks) continue;
    const double waited = seconds_since(start);
    if (waited > limit_s)
      throw std::runtime_error("rank " + std::to_string(rank) + " did not come within " +
                               std::to_string(static_cast<int>(limit_s)) + " s");
    ::usleep(waited < 0.02 ? 20 : 500);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
}

Neighbours::Extent Neighbours::await(int rank, std::int64_t call) const {
  const auto slot = slot_of(rank, call);
  wait_for(rank, slot + offsetof(Slot, posted), timeout_s_,
           [=](std::int64_t n) { return n == call; });
  Extent extent;
  read(rank, slot + offsetof(Slot, extent), &extent, sizeof extent);
  return extent;
}

void Neighbours::await_finished(std::int64_t call) const {
  await_finished(call, timeout_s_);
}

void Neighbours::let_finish(std::int64_t call) const {
  constexpr double kMomentS = 10;
  try {
    await_finished(call, kMomentS);
  } catch (const std::runtime_error&) {  // it is gone, or will not come
  }
}

void Neighbours::await_finished(std::int64_t call, double limit_s) const {
  for (int r = 0; r < std::ssize(others_); ++r)
    if (r != rank_)
      wait_for(r, slot_of(r, call) + offsetof(Slot, finished), limit_s,
               [=](std::int64_t n) { return n >= call; });
}

void Neighbours::read(int rank, std::uint64_t address, void* to, std::size_t bytes) const {
  const pid_t process = others_[static_cast<std::size_t>(rank)].process;
  const auto start = Clock::now();
  for (std::size_t done = 0; done < bytes;) {
    const iovec mine{static_cast<char*>(to) + done, bytes - done};
    const iovec theirs{reinterpret_cast<void*>(address + done), bytes - done};
    const auto got = ::process_vm_readv(process, &mine, 1, &theirs, 1, 0);
    // who starts a program of another user's is closed to others until that has begun (vfork, setresuid)
    if (got < 0 && errno == EPERM && reached_ && seconds_since(start) < timeout_s_) {
      ::usleep(100);
      continue;
    }
    if (got <= 0)
      throw std::runtime_error("the memory of rank " + std::to_string(rank) +
                               " cannot be read: " + std::strerror(got < 0 ? errno : EFAULT));
    done += static_cast<std::size_t>(got);
  }
}

}  // namespace aha
