// A library to preload: the calendar's clock of one process is wrong by AHA_TEST_SKEW_S seconds, and back to normal, in
// turns of AHA_TEST_SKEW_TURN_S seconds (0: it stays wrong), wrong first. The kernel's stays right, so what is told to
// wait until a time is told the right one.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

constexpr std::time_t kSomeYears =
    1'000'000'000;  // what counts from a start of the machine is below

timespec kernel_time(clockid_t clock) {
  timespec now{};
  syscall(SYS_clock_gettime, clock, &now);
  return now;
}

std::time_t number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::atoll(text);
}

std::time_t skew() {
  static const std::time_t most = number("AHA_TEST_SKEW_S");
  static const std::time_t turn = number("AHA_TEST_SKEW_TURN_S");
  if (turn == 0) return most;
  static const std::time_t start = kernel_time(CLOCK_MONOTONIC).tv_sec;
  return (kernel_time(CLOCK_MONOTONIC).tv_sec - start) / turn % 2 == 0 ? most : 0;
}

/// Leaves a file AHA_TEST_SKEW_MARK: a wrong time was told.
void mark() {
  static const bool marked = [] {
    const char* path = std::getenv("AHA_TEST_SKEW_MARK");
    return path != nullptr && close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0;
  }();
  (void)marked;
}

timespec kernel_time_for(const timespec& until) {
  timespec right = until;
  if (right.tv_sec > kSomeYears) right.tv_sec -= skew();
  return right;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  *now = kernel_time(clock);
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return 0;
  const auto seconds = skew();
  now->tv_sec += seconds;
  if (seconds != 0) mark();
  return 0;
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  now->tv_sec = time.tv_sec;
  now->tv_usec = time.tv_nsec / 1000;
  return 0;
}

std::time_t time(std::time_t* now) noexcept {
  timespec precise{};
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != nullptr) *now = precise.tv_sec;
  return precise.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  static const auto wait = next<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait");
  const timespec right = kernel_time_for(*until);
  return wait(condition, mutex, &right);
}
}
