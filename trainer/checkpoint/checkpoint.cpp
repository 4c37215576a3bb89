#include "trainer/checkpoint/checkpoint.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "trainer/core/error.h"
#include "trainer/core/file.h"
#include "trainer/model/model_config.h"
#include "trainer/model/weights.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step_";
constexpr std::string_view kPartial = ".partial";

void write_sums(const fs::path& folder, const Checksums& checksums) {
  write_file_atomic(folder / Checksums::kFile, checksums.text());
}

/// The model with its tokenizer.
Checksums write_model(const fs::path& folder, const CheckpointParts& parts) {
  const auto type = float_type(parts.dtype);
  std::vector<std::pair<std::string, std::string>> flat;
  for (const auto& file : parts.tokenizer_files)
    if (!fs::path(file.first).has_parent_path()) flat.push_back(file);
  Checksums checksums = save_model(folder, {parts.config, parts.layout, parts.values, type, flat});
  for (const auto& [name, bytes] : parts.tokenizer_files)
    if (fs::path(name).has_parent_path()) {
      make_folder((folder / name).parent_path());
      checksums.add(write_summed(folder, name, bytes));
    }
  return checksums;
}

void write_shared_part(const fs::path& folder, const CheckpointParts& parts,
                       const TrainerState& state, const std::function<Checksums()>& shards_ready) {
  Checksums checksums = write_model(folder, parts);
  if (parts.reference.defined()) {
    const fs::path reference = folder / "reference";
    write_sums(
        reference,
        save_model(reference, {parts.config, parts.layout, parts.reference, FloatType::F32, {}}));
  }
  const fs::path optimizer = folder / "optimizer";
  Checksums shards = shards_ready();
  shards.add(write_optimizer_index(optimizer, parts.layout, parts.optimizer.slices,
                                   parts.optimizer.master.defined()));
  write_sums(optimizer, shards);
  checksums.add(write_summed(folder, "trainer_state.json", to_json(state).dump(2) + "\n"));
  write_sums(folder, checksums);
}

std::optional<std::int64_t> step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (name.rfind(kPrefix, 0) != 0) return std::nullopt;
  std::int64_t step = 0;
  const char* const first = name.data() + kPrefix.size();
  const char* const last = name.data() + name.size();
  const auto [end, error] = std::from_chars(first, last, step);
  if (error != std::errc() || end != last || step < 0) return std::nullopt;
  return step;
}

void remove_quietly(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) spdlog::warn("{}: cannot be removed: {}", path.string(), error.message());
}

fs::path partial_of(const fs::path& folder) {
  return folder.string() + std::string(kPartial);
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail("{}: cannot be renamed to {}: {}", from.string(), to.string(), error.message());
}

/// Renamed first: a crash on the way leaves no half checkpoint under a checkpoint's name.
void remove_checkpoint(const fs::path& folder) {
  const auto doomed = partial_of(folder);
  remove_quietly(doomed);
  std::error_code error;
  fs::rename(folder, doomed, error);
  remove_quietly(error ? folder : doomed);
}

void sync_tree(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error))
    if (entry.is_directory(error)) sync_path(entry.path());
  if (error) fail("{}: cannot be synced: {}", folder.string(), error.message());
  sync_path(folder);
}

fs::path old_of(const fs::path& folder) {
  return partial_of(folder.string() + ".old");
}

/// Renames the partial folder to what it is the part of. The one of that name, if any, goes last.
fs::path put_in_place(const fs::path& partial) {
  fs::path target = fs::path(partial).replace_extension();
  const fs::path old = old_of(target);
  remove_quietly(old);
  std::error_code error;
  const bool replaces = fs::exists(target, error);
  if (replaces) rename_or_fail(target, old);
  try {
    rename_or_fail(partial, target);
  } catch (const UserError&) {
    if (replaces) fs::rename(old, target, error);
    throw;
  }
  sync_path(target.parent_path());
  remove_quietly(old);
  return target;
}

/// What a crash left behind. A checkpoint that was about to be replaced gets its name back.
void clear_partials(const fs::path& checkpoints) {
  std::vector<fs::path> partials;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error))
    if (entry.path().extension() == kPartial) partials.push_back(entry.path());
  for (const auto& partial : partials) {
    const fs::path target = fs::path(partial).replace_extension().replace_extension();
    if (partial == old_of(target) && !fs::exists(target, error))
      fs::rename(partial, target, error);
    else
      remove_quietly(partial);
  }
}

/// A name for people and scripts: without it the checkpoint is whole all the same.
void point_latest_at(const fs::path& folder) {
  const fs::path checkpoints = folder.parent_path();
  try {
    replace_symlink(fs::path(checkpoints.filename()) / folder.filename(),
                    checkpoints.parent_path() / "latest");
  } catch (const UserError& error) {
    spdlog::warn("{}", error.what());
  }
}

}  // namespace

fs::path checkpoint_path(const fs::path& checkpoints, std::int64_t global_step) {
  return checkpoints / (std::string(kPrefix) + std::to_string(global_step));
}

fs::path partial_path(const fs::path& checkpoints, std::int64_t global_step) {
  return partial_of(checkpoint_path(checkpoints, global_step));
}

fs::path begin_checkpoint(const fs::path& checkpoints, std::int64_t global_step) {
  clear_partials(checkpoints);
  fs::path partial = partial_path(checkpoints, global_step);
  make_folder(partial / "optimizer");
  return partial;
}

Checksums write_own_part(const fs::path& partial, const CheckpointParts& parts) {
  return write_optimizer_shard(partial / "optimizer", parts.layout, parts.optimizer);
}

fs::path finish_checkpoint(const fs::path& partial, const CheckpointParts& parts,
                           const TrainerState& state,
                           const std::function<Checksums()>& shards_ready) {
  try {
    write_shared_part(partial, parts, state, shards_ready);
    sync_tree(partial);
  } catch (...) {
    remove_quietly(partial);
    throw;
  }
  fs::path target = put_in_place(partial);
  point_latest_at(target);
  return target;
}

fs::path save_checkpoint(const fs::path& checkpoints, const CheckpointParts& parts,
                         const TrainerState& state) {
  const auto partial = begin_checkpoint(checkpoints, state.global_step);
  return finish_checkpoint(partial, parts, state, [&] { return write_own_part(partial, parts); });
}

std::vector<std::int64_t> list_checkpoints(const fs::path& checkpoints) {
  std::vector<std::int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error))
    if (const auto step = step_of(entry.path()); step && entry.is_directory())
      steps.push_back(*step);
  std::sort(steps.begin(), steps.end());
  return steps;
}

LoadedCheckpoint load_checkpoint(const fs::path& folder, const ParameterLayout& layout, Slice own) {
  LoadedCheckpoint loaded;
  loaded.folder = folder;
  const fs::path state_file = folder / "trainer_state.json";
  loaded.state = state_from_json(read_json(state_file), state_file.string());
  if (const auto step = step_of(folder); step && *step != loaded.state.global_step)
    fail("{}: 'global_step' is {}, which is not the folder's", state_file.string(),
         loaded.state.global_step);
  const fs::path optimizer = folder / "optimizer";
  const fs::path reference = folder / "reference";
  for (const auto& part : {folder, optimizer, reference})
    if (const auto checksums = Checksums::of(part)) checksums->verify_whole_files(part);
  loaded.values = load_weights(folder, layout, own.begin, own.end);
  loaded.moments = read_moments(optimizer, layout, own);
  const auto dtype = read_model_config(folder).dtype;
  if (!read_master(optimizer, layout, own, loaded.values) && dtype != "float32")
    fail("{}: is missing; the model's weights are {}, which is not what the run had",
         (optimizer / "master.safetensors").string(), dtype);
  std::error_code error;
  if (fs::exists(reference, error))
    loaded.reference = load_weights(reference, layout, own.begin, own.end);
  return loaded;
}

std::optional<LoadedCheckpoint> load_newest(const fs::path& checkpoints,
                                            const CheckpointReader& read) {
  clear_partials(checkpoints);
  auto steps = list_checkpoints(checkpoints);
  std::string first_error;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const auto folder = checkpoint_path(checkpoints, *step);
    try {
      return read(folder);
    } catch (const UserError& error) {
      if (first_error.empty()) first_error = error.what();
      spdlog::warn("{} is passed over: {}", folder.string(), error.what());
    }
  }
  if (!first_error.empty())
    fail("{}: no checkpoint there can be read ({}); start afresh in another output_dir",
         checkpoints.string(), first_error);
  return std::nullopt;
}

void go_back_to(const fs::path& checkpoints, std::int64_t global_step) {
  for (const auto step : list_checkpoints(checkpoints))
    if (step > global_step) remove_checkpoint(checkpoint_path(checkpoints, step));
  const auto folder = checkpoint_path(checkpoints, global_step);
  std::error_code error;
  if (fs::exists(folder, error)) point_latest_at(folder);
}

void prune_checkpoints(const fs::path& checkpoints, std::int64_t keep, std::int64_t best) {
  clear_partials(checkpoints);
  if (keep <= 0) return;
  auto steps = list_checkpoints(checkpoints);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i)
    if (steps[i] != best) remove_checkpoint(checkpoint_path(checkpoints, steps[i]));
}

}  // namespace aha
