#include "trainer/run/run_folder.h"

#include "trainer/config/dump.h"
#include "trainer/config/load.h"
#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/core/log.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr const char* kConfig = "config.resolved.yaml";
constexpr const char* kConfigPart = "config.resolved.yaml.tmp";  // as write_file_atomic names it

/// What a run that was killed while it began may have left does not count.
bool holds_nothing(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (const auto name = entry.path().filename(); name != RunLock::kName && name != kConfigPart)
      return false;
  return true;
}

/// What a run writes below its folder, checkpoints excepted.
void remove_records(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    const bool record = name == "metrics.jsonl" || name == "completions" || name == "tensorboard" ||
                        name == "log.txt" || name == "status.json" || name.starts_with("trace_");
    std::error_code error;
    if (record) fs::remove_all(entry.path(), error);
    if (error) fail("{}: cannot be removed: {}", entry.path().string(), error.message());
  }
}

/// Keys that make what was done so far untrue, one line each.
void refuse(const std::vector<ChangedKey>& changes, const std::string& before) {
  std::string text;
  for (const auto& change : changes) {
    if (change.free) {
      spdlog::info("{} was {}, is now {}", change.key, change.before, change.after);
      continue;
    }
    text += fmt::format("{}{}: the run in {} has {}, not {}", text.empty() ? "" : "\n", change.key,
                        before, change.before, change.after);
  }
  if (!text.empty()) fail("{}\nput these back, or name another output_dir", text);
}

/// The stage that a checkpoint was made in stands where it stood.
void check_stage(const Config& config, const TrainerState& state) {
  const auto index = static_cast<std::size_t>(state.stage_index);
  if (index < config.stages.size() && config.stages[index].name == state.stage) return;
  fail("stages: the checkpoint was made in stage {}, '{}', which this job does not have there",
       state.stage_index + 1, state.stage);
}

}  // namespace

RunFolder::RunFolder(const Config& config, const std::string& resume, const CheckpointReader& read)
    : path_(config.output_dir) {
  if (fs::exists(path_ / RunLock::kName)) lock_.emplace(path_);
  const bool known = fs::exists(path_ / kConfig);
  if (resume == "none" && !holds_nothing(path_))
    fail("output_dir: {} holds {}; go on with it by --resume auto, or name another folder",
         path_.string(), known ? "a run already" : "files already");
  if (resume != "none" && !holds_nothing(path_) && !known)
    fail("output_dir: {} holds files that are no run's; name another folder", path_.string());
  if (resume != "none" && resume != "auto") {
    start_ = read(resume);
    if (!owns(resume)) {
      if (known)
        fail("--resume {}: is no checkpoint of {}, which holds another run", resume,
             path_.string());
      refuse(changed_keys(start_->state.config, config), resume);
      start_->state.offsets.clear();
    }
  }
  make_folder(path_);
  if (!lock_) lock_.emplace(path_);
  if (known) refuse(changed_keys(load_config(path_ / kConfig), config), path_.string());
  if (resume == "auto") {
    start_ = load_newest(checkpoints(), read);
    if (!start_) remove_records(path_);
  }
  if (start_) check_stage(config, start_->state);
  write_file_atomic(path_ / kConfig, resolved_yaml(config));
}

bool RunFolder::owns(const fs::path& checkpoint) const {
  std::error_code error;
  return fs::equivalent(checkpoint / "..", checkpoints(), error);
}

}  // namespace aha
