#include "trainer/run/stage_state.h"

#include <torch/headeronly/version.h>

#include "trainer/core/error.h"
#include "trainer/core/version.h"

namespace aha {
namespace {

void assign(Stage& stage, const Tensor& values) {
  stage.policy.weights->assign(values);
  stage.policy.weights->publish();
}

}  // namespace

void note_state(const Stage& stage, TrainerState& state) {
  state.stage_index = stage.index;
  state.stage = stage.settings.name;
  state.step = stage.step;
  state.global_step = stage.global_step;
  state.cursor = stage.sampler.cursor();
  state.updates = stage.optimizer.updates();
  state.num_tokens = stage.num_tokens;
  state.entropy_coef = stage.entropy.coefficient();
  state.cpu_body = stage.machine.ops.name;
  state.data = stage.data.fingerprint;
  state.versions = {{"aha", kVersion}, {"torch", TORCH_VERSION}};
}

void restore_stage(Stage& stage, const LoadedCheckpoint& from) {
  const TrainerState& state = from.state;
  if (state.data != stage.data.fingerprint)
    fail(
        "data.train: stage {} of {} was trained on {}, the file now has {}; put it back, or start "
        "anew in another output_dir",
        state.stage, from.folder.string(), state.data, stage.data.fingerprint);
  if (stage.reference && !from.reference)
    fail("{}: is missing; objective.beta is not 0, and the run had a reference",
         (from.folder / "reference").string());
  assign(stage, from.values);
  stage.optimizer.set_moments(from.moments);
  stage.optimizer.set_updates(state.updates);
  stage.sampler.set_cursor(state.cursor);
  stage.step = state.step;
  stage.num_tokens = state.num_tokens;
  stage.entropy.set_coefficient(state.entropy_coef);
  if (stage.reference) {
    stage.reference->assign(*from.reference);
    stage.reference->publish();
  }
}

std::optional<Snapshot> snapshot_of(const Stage& stage) {
  const auto& o = stage.settings.objective;
  if (stage.settings.method == "sft" || o.num_iterations * o.minibatches == 1) return std::nullopt;
  const auto& moments = stage.optimizer.moments();
  return Snapshot{stage.policy.weights->values().clone(),
                  {moments.exp_avg.clone(), moments.exp_avg_sq.clone()},
                  stage.optimizer.updates()};
}

void undo(Stage& stage, const std::optional<Snapshot>& before) {
  if (!before) return;
  assign(stage, before->values);
  stage.optimizer.set_moments(before->moments);
  stage.optimizer.set_updates(before->updates);
}

CheckpointParts checkpoint_parts(Stage& s) {
  const auto& settings = s.settings;
  const Policy& policy = s.policy;
  CheckpointParts parts{policy.config, policy.layout, {}, {}, {}, {}, settings.model.save_dtype};
  parts.optimizer = {
      s.optimizer.shards(), static_cast<std::size_t>(s.comm.rank()), s.optimizer.moments(), {}};
  if (parts.dtype != "float32") parts.optimizer.master = policy.weights->values();
  parts.copied = policy.weights->divided();
  parts.values = policy.weights->whole();
  if (s.reference) parts.reference = s.reference->whole();
  if (!s.comm.leads()) return parts;
  parts.tokenizer_files = policy.tokenizer->files().bytes;
  const bool moves = settings.objective.sync_ref_model && settings.checkpoint.async;
  if (s.reference && moves && !parts.copied) parts.reference = parts.reference.clone();
  return parts;
}

}  // namespace aha
