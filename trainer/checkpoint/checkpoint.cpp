#include "trainer/checkpoint/checkpoint.h"

#include <ATen/ops/zeros.h>
#include <fmt/ranges.h>
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

std::span<const float> slice(const Tensor& flat, const Parameter& p) {
  return {flat.const_data_ptr<float>() + p.offset, static_cast<std::size_t>(p.size)};
}

std::span<float> slice(Tensor& flat, const Parameter& p) {
  return {flat.mutable_data_ptr<float>() + p.offset, static_cast<std::size_t>(p.size)};
}

void write_optimizer(const fs::path& folder, const CheckpointParts& parts) {
  make_folder(folder);
  std::vector<NamedTensor> moments;
  std::vector<NamedTensor> master;
  for (const auto& p : parts.layout.parameters) {
    if (!p.trainable) continue;
    moments.push_back({"exp_avg." + p.name, p.shape, slice(parts.moments.exp_avg, p)});
    moments.push_back({"exp_avg_sq." + p.name, p.shape, slice(parts.moments.exp_avg_sq, p)});
    master.push_back({p.name, p.shape, slice(parts.values, p)});
  }
  write_safetensors(folder / "state.safetensors", moments);
  if (parts.dtype != "float32") write_safetensors(folder / "master.safetensors", master);
}

void write_parts(const fs::path& folder, const CheckpointParts& parts, const TrainerState& state) {
  const auto type = float_type(parts.dtype);
  std::vector<std::pair<std::string, std::string>> flat;
  for (const auto& file : parts.tokenizer_files)
    if (!fs::path(file.first).has_parent_path()) flat.push_back(file);
  save_model(folder, {parts.config, parts.layout, parts.values, type, flat});
  for (const auto& [name, bytes] : parts.tokenizer_files)
    if (fs::path(name).has_parent_path()) {
      make_folder((folder / name).parent_path());
      write_file_atomic(folder / name, bytes);
    }
  write_optimizer(folder / "optimizer", parts);
  if (parts.reference != nullptr)
    save_model(folder / "reference",
               {parts.config, parts.layout, *parts.reference, FloatType::F32, {}});
  // last: a folder without it is not a checkpoint
  write_file_atomic(folder / "trainer_state.json", to_json(state).dump(2) + "\n");
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

/// A tensor of the optimizer's, proved to have its parameter's shape.
void read_shaped(const SafetensorsFile& file, const std::string& name, const Parameter& p,
                 std::span<float> out) {
  const auto* stored = file.find(name);
  if (stored != nullptr && stored->shape != p.shape)
    fail("{}: tensor '{}' has shape [{}], expected [{}]", file.path().string(), name,
         fmt::join(stored->shape, ", "), fmt::join(p.shape, ", "));
  file.read(name, out);
}

/// The f32 weights, where the model's own are rounded.
std::optional<SafetensorsFile> open_master(const fs::path& folder) {
  const fs::path file = folder / "optimizer" / "master.safetensors";
  const auto dtype = read_model_config(folder).dtype;
  std::error_code error;
  if (fs::exists(file, error)) return std::optional<SafetensorsFile>(std::in_place, file);
  if (dtype != "float32")
    fail("{}: is missing; the model's weights are {}, which is not what the run had", file.string(),
         dtype);
  return std::nullopt;
}

}  // namespace

fs::path checkpoint_path(const fs::path& checkpoints, std::int64_t global_step) {
  return checkpoints / (std::string(kPrefix) + std::to_string(global_step));
}

fs::path save_checkpoint(const fs::path& checkpoints, const CheckpointParts& parts,
                         const TrainerState& state) {
  make_folder(checkpoints);
  fs::path target = checkpoint_path(checkpoints, state.global_step);
  const fs::path partial = partial_of(target);
  const fs::path old = partial_of(target.string() + ".old");
  remove_quietly(partial);
  try {
    write_parts(partial, parts, state);
    sync_tree(partial);
  } catch (...) {
    remove_quietly(partial);
    throw;
  }
  std::error_code error;
  remove_quietly(old);
  if (fs::exists(target, error)) rename_or_fail(target, old);
  rename_or_fail(partial, target);
  sync_path(checkpoints);
  remove_quietly(old);
  replace_symlink(fs::path(checkpoints.filename()) / target.filename(),
                  checkpoints.parent_path() / "latest");
  return target;
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

LoadedCheckpoint load_checkpoint(const fs::path& folder, const ParameterLayout& layout) {
  LoadedCheckpoint loaded;
  loaded.folder = folder;
  const fs::path state_file = folder / "trainer_state.json";
  loaded.state = state_from_json(read_json(state_file), state_file.string());
  if (const auto step = step_of(folder); step && *step != loaded.state.global_step)
    fail("{}: 'global_step' is {}, which is not the folder's", state_file.string(),
         loaded.state.global_step);
  loaded.values = load_weights(folder, layout);
  loaded.moments = {at::zeros({layout.total}, at::kFloat), at::zeros({layout.total}, at::kFloat)};
  const SafetensorsFile moments(folder / "optimizer" / "state.safetensors");
  const auto master = open_master(folder);
  for (const auto& p : layout.parameters) {
    if (!p.trainable) continue;
    read_shaped(moments, "exp_avg." + p.name, p, slice(loaded.moments.exp_avg, p));
    read_shaped(moments, "exp_avg_sq." + p.name, p, slice(loaded.moments.exp_avg_sq, p));
    if (master) read_shaped(*master, p.name, p, slice(loaded.values, p));
  }
  std::error_code error;
  if (fs::exists(folder / "reference", error))
    loaded.reference = load_weights(folder / "reference", layout);
  return loaded;
}

std::optional<LoadedCheckpoint> load_newest(const fs::path& checkpoints,
                                            const ParameterLayout& layout) {
  auto steps = list_checkpoints(checkpoints);
  std::string first_error;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const auto folder = checkpoint_path(checkpoints, *step);
    try {
      return load_checkpoint(folder, layout);
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

void prune_checkpoints(const fs::path& checkpoints, std::int64_t keep, std::int64_t best) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(checkpoints, error))
    if (entry.path().extension() == kPartial) remove_quietly(entry.path());
  if (keep <= 0) return;
  auto steps = list_checkpoints(checkpoints);
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < steps.size(); ++i)
    if (steps[i] != best) remove_checkpoint(checkpoint_path(checkpoints, steps[i]));
}

}  // namespace aha
