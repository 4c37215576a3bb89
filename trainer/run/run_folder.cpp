#include "trainer/run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "trainer/config/dump.h"
#include "trainer/config/load.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/log.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfig = "config.resolved.yaml";
constexpr const char* kLock = ".lock";

bool holds_nothing(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename() != kLock) return false;
  return true;
}

/// What a run writes below its folder, checkpoints excepted.
void remove_records(const fs::path& folder) {
  for (const char* name : {"metrics.jsonl", "completions", "tensorboard", "log.txt"}) {
    std::error_code error;
    fs::remove_all(folder / name, error);
    if (error) fail("{}: cannot be removed: {}", (folder / name).string(), error.message());
  }
}

void remove_later(const fs::path& checkpoints, std::int64_t global_step) {
  for (const auto step : list_checkpoints(checkpoints))
    if (step > global_step) fs::remove_all(checkpoint_path(checkpoints, step));
}

}  // namespace

RunFolder::RunFolder(const Config& config, const std::string& resume, const ParameterLayout& layout)
    : path_(config.output_dir) {
  const bool known = fs::exists(path_ / kConfig);
  if (resume == "none" && !holds_nothing(path_))
    fail("output_dir: {} holds {}; go on with it by --resume auto, or name another folder",
         path_.string(), known ? "a run already" : "files already");
  if (resume != "none" && !holds_nothing(path_) && !known)
    fail("output_dir: {} holds files that are no run's; name another folder", path_.string());
  make_folder(path_);
  lock();
  if (known) refuse_other_config(config);
  if (resume == "auto") {
    start_ = load_newest(checkpoints(), layout);
    if (!start_) remove_records(path_);
  } else if (resume != "none") {
    start_ = load_checkpoint(resume, layout);
    std::error_code error;
    if (!fs::equivalent(fs::path(resume) / "..", checkpoints(), error) || error) {
      if (known)
        fail("--resume {}: is no checkpoint of {}, which holds another run", resume,
             path_.string());
      start_->state.offsets.clear();
    }
  }
  if (start_) remove_later(checkpoints(), start_->state.global_step);
  write_file_atomic(path_ / kConfig, resolved_yaml(config));
}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void RunFolder::lock() {
  const fs::path file = path_ / kLock;
  lock_ = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock_ < 0) fail("output_dir: {} cannot be written: {}", path_.string(), std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    fail("output_dir: another aha is at work in {}", path_.string());
}

void RunFolder::refuse_other_config(const Config& config) const {
  const fs::path file = path_ / kConfig;
  const Config before = load_config(file);
  std::string text;
  for (const auto& change : changed_keys(before, config)) {
    if (change.free) {
      spdlog::info("{} was {}, is now {}", change.key, change.before, change.after);
      continue;
    }
    text += fmt::format("{}{}: the run in {} has {}, not {}", text.empty() ? "" : "\n", change.key,
                        path_.string(), change.before, change.after);
  }
  if (!text.empty()) fail("{}\nput these back, or name another output_dir", text);
}

}  // namespace aha
