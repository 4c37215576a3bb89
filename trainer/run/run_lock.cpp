#include "trainer/run/run_lock.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "trainer/comm/rendezvous.h"
#include "trainer/core/clock.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/json.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr double kRenewS = 1.0;

std::string own_text() {
  return dump_line(OrderedJson{{"pid", ::getpid()},
                               {"host", host_name()},
                               {"since", utc_text()},
                               {"machine", machine_id()}});
}

/// What the file says; empty when nobody has it: who leaves empties it.
Json holder_in(const std::string& text) {
  try {
    Json json = parse_json(text, "the lock");
    if (json.is_object()) return json;
  } catch (const UserError&) {
  }
  return Json::object();
}

/// "aha train, pid 123 on host n7, since ..."
std::string who(const Json& holder) {
  if (holder.empty()) return "another aha train";
  const auto part = [&](const char* key) {
    const auto found = holder.find(key);
    if (found == holder.end()) return std::string("?");
    return found->is_string() ? found->get<std::string>() : found->dump();
  };
  return fmt::format("aha train, pid {} on host {}, since {}", part("pid"), part("host"),
                     part("since"));
}

[[noreturn]] void refuse(const fs::path& file, const Json& holder) {
  fail("output_dir: {} is used by {}; wait for it or choose another", file.parent_path().string(),
       who(holder));
}

/// When the file was renewed last. By a new descriptor: that makes NFS ask its server.
timespec renewed(const fs::path& file) {
  struct stat info {};
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ::fstat(fd, &info);
  ::close(fd);
  return info.st_mtim;
}

bool moves(const fs::path& file, double seconds) {
  const timespec before = renewed(file);
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(0.2, seconds / 4)));
    const timespec now = renewed(file);
    if (now.tv_sec != before.tv_sec || now.tv_nsec != before.tv_nsec) return true;
  }
  return false;
}

}  // namespace

RunLock::RunLock(const fs::path& folder, double patience_s)
    : path_(folder / kName), own_(own_text()) {
  file_ = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (file_ < 0)
    fail("output_dir: {} cannot be written: {}", folder.string(), std::strerror(errno));
  try {
    take(patience_s);
  } catch (...) {
    ::close(file_);
    throw;
  }
  ticker_ = std::make_unique<Ticker>(kRenewS, [this] { renew(); });
}

RunLock::~RunLock() {
  ticker_.reset();
  try {
    if (read_file(path_) == own_)
      (void)::ftruncate(file_, 0);  // else another one's name stands there
  } catch (const UserError&) {
  }
  ::close(file_);
}

void RunLock::take(double patience_s) {
  const Json holder = holder_in(read_file(path_));
  const bool locked = ::flock(file_, LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno == EWOULDBLOCK) refuse(path_, holder);
  const bool ended = locked && holder.contains("machine") && holder["machine"] == machine_id();
  if (!holder.empty() && !ended) {
    spdlog::info("output_dir: {} was used last by {}; looking for {:g} s whether it still is",
                 path_.parent_path().string(), who(holder), patience_s);
    if (moves(path_, patience_s)) refuse(path_, holder);
  }
  if (::ftruncate(file_, 0) != 0 ||
      ::pwrite(file_, own_.data(), own_.size(), 0) != static_cast<ssize_t>(own_.size()))
    fail("{}: cannot be written: {}", path_.string(), std::strerror(errno));
}

void RunLock::renew() {
  try {
    const auto now = read_file(path_);
    if (now == own_) {
      ::futimens(file_, nullptr);
      return;
    }
    spdlog::error("aha: output_dir: {} was taken by {}, which gave this process up; it ends",
                  path_.parent_path().string(), who(holder_in(now)));
    spdlog::default_logger()->flush();
    std::_Exit(kExitUserError);
  } catch (const UserError&) {
    return;  // the folder is gone or out of reach: whoever writes there next will say so
  }
}

}  // namespace aha
