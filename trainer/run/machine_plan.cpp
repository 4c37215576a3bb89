#include "trainer/run/machine_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/core/text.h"
#include "trainer/run/cluster_memory.h"
#include "trainer/run/device_plan.h"
#include "trainer/run/policy.h"

namespace aha {
namespace {

ModelConfig shape_of(const Config& config) {
  const StageConfig& first = config.stages.front();
  if (!first.model.path.empty()) return read_model_config(first.model.path);
  return job_model_config(config, *job_tokenizer(first));
}

Cluster cluster_of(const MachineRequest& request) {
  const MachineKind& kind = machine_kind(request.kind);
  return {kind, request.ranks, request.per_node > 0 ? request.per_node : kind.per_node};
}

std::string machine_line(const Cluster& cluster) {
  std::string line = fmt::format(
      "machine    {} on {}",
      cluster.ranks == 1 ? "one rank" : fmt::format("{} ranks", cluster.ranks), cluster.kind.what);
  if (cluster.nodes() > 1)
    line += fmt::format(", {} machines of {}", cluster.nodes(), cluster.per_node);
  return line +
         (cluster.kind.built
              ? ": computed, not measured"
              : ": computed from its data sheet, not measured. Of GPUs aha has run on one H100, "
                "never on several");
}

std::string model_line(const ModelConfig& model, const std::string& storage) {
  return fmt::format("model      {} {} x {}, {} {} parameters", model.model_type,
                     model.num_hidden_layers, model.hidden_size,
                     with_commas(model_size(model).parameters), storage);
}

std::string work_line(const StepWork& work) {
  return fmt::format(
      "step       {} prompts of {:.0f} tokens x {} completions of {:.0f}, {} updates of {} tokens "
      "a "
      "micro-batch",
      work.prompts, work.prompt_tokens, work.generations, work.completion_tokens, work.updates(),
      with_commas(work.micro_rows));
}

/// Seconds with three digits that say something.
std::string seconds_text(double seconds) {
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1000)
                     : fmt::format("{:.{}f} s", seconds, seconds < 100 ? 1 : 0);
}

std::vector<std::string> phase_lines(const std::vector<PhaseCost>& phases) {
  std::vector<std::string> lines{fmt::format("{:<10} {:>12} {:>12} {:>12} {:>10}", "phase", "TFLOP",
                                             "memory", "sent", "time")};
  PhaseCost sum{"step"};
  const auto line = [](const PhaseCost& p) {
    return fmt::format("{:<10} {:>12.3f} {:>12} {:>12} {:>10}", p.name, p.flop / 1e12,
                       bytes_text(p.memory_bytes), bytes_text(p.sent_bytes),
                       seconds_text(p.seconds));
  };
  for (const auto& phase : phases) {
    lines.push_back(line(phase));
    sum.flop += phase.flop;
    sum.memory_bytes += phase.memory_bytes;
    sum.sent_bytes += phase.sent_bytes;
    sum.seconds += phase.seconds;
  }
  lines.push_back(line(sum));
  return lines;
}

MemoryPlan memory_of(StageConfig stage, const ModelConfig& model, const StepWork& work,
                     const Cluster& cluster, Zero zero) {
  if (!cluster.kind.built) return cluster_memory(model, work, cluster, zero);
  MemoryInputs inputs{stage.data.max_prompt_length, 0, 1, work.strict};
  inputs.ranks = static_cast<int>(cluster.ranks);
  inputs.neighbours = cluster.nodes() == 1 && stage.comm.read_memory;
  stage.optim.zero_stage = static_cast<std::int64_t>(zero);
  return plan_memory(stage, model, inputs);
}

/// One row for each way to divide the model over the ranks.
std::vector<std::string> sharding_lines(const StageConfig& stage, const ModelConfig& model,
                                        const StepWork& work, const Cluster& cluster) {
  const ModelSize size = model_size(model);
  std::vector<std::string> lines{fmt::format("{:<10} {:>12} {:>12} {:>10}  {:<14} {}", "sharding",
                                             "a rank", "sent", "step", "memory", "state")};
  for (const Zero zero : {Zero::Moments, Zero::Gradients, Zero::Weights}) {
    const auto phases = step_costs(size, work, cluster, zero);
    const auto bytes = static_cast<double>(memory_of(stage, model, work, cluster, zero).total());
    lines.push_back(fmt::format(
        "ZeRO-{}     {:>12} {:>12} {:>10}  {:<14} optim.zero_stage: {}", static_cast<int>(zero),
        bytes_text(bytes), bytes_text(sent_bytes_of(phases)), seconds_text(seconds_of(phases)),
        bytes <= cluster.kind.memory_bytes() ? "fits" : "does not fit", static_cast<int>(zero)));
    if (cluster.ranks == 1) break;
  }
  return lines;
}

std::string built_line(const StageConfig& stage, const ModelConfig& model,
                       const MemoryInputs& inputs, double room) {
  const MemoryPlan now = plan_device_memory(stage, model, inputs);
  const auto free = static_cast<std::int64_t>(room);
  const std::string lighter = lighter_settings(stage, model, inputs, free);
  const bool bf16 = storage_type(stage.model.storage) == FloatType::BF16;
  return fmt::format("           as built today, activations in f32{}: {}: {}{}",
                     bf16 ? " but for gates, ups, keys, values and kept logits" : "", now.text(),
                     now.total() <= free ? "fits" : "does not fit",
                     lighter.empty() ? "" : "; set " + lighter);
}

std::vector<std::string> stage_plan(const Config& config, const StageConfig& stage,
                                    const ModelConfig& model, const Cluster& cluster) {
  std::vector<std::string> lines{"stage      " + stage.name};
  if (stage.method != "grpo") {
    lines.push_back("           " + stage.method +
                    ": a plan for another machine is of grpo stages");
    return lines;
  }
  const auto prompt = static_cast<double>(stage.data.max_prompt_length);
  const StepWork work = step_work(stage, config.strict, prompt);
  const ModelSize size = model_size(model);
  const Zero zero = zero_of(stage);
  lines.push_back(work_line(work));
  for (auto& line : phase_lines(step_costs(size, work, cluster, zero)))
    lines.push_back(std::move(line));
  const double saved =
      checkpoint_bytes(size, stage.model.save_dtype == "float32" ? 4 : 2, work.reference);
  lines.push_back("checkpoint " + bytes_text(saved) + " written");
  const MemoryPlan memory = memory_of(stage, model, work, cluster, zero);
  const auto room = cluster.kind.memory_bytes();
  const bool fits = static_cast<double>(memory.total()) <= room;
  lines.push_back(fmt::format("memory     at most {}, of {}: {}", memory.text(), bytes_text(room),
                              fits ? "fits" : "does not fit"));
  if (!fits && !cluster.kind.built)
    lines.push_back("           to fit: " + advice_to_fit(model, work, cluster, zero));
  if (!cluster.kind.built) {
    MemoryInputs inputs{stage.data.max_prompt_length, 0, 1, config.strict};
    inputs.ranks = static_cast<int>(cluster.ranks);
    lines.push_back(built_line(stage, model, inputs, room));
  }
  for (auto& line : sharding_lines(stage, model, work, cluster))
    lines.push_back(std::move(line));
  return lines;
}

}  // namespace

std::vector<std::string> machine_plan(const Config& config, const MachineRequest& request) {
  const Cluster cluster = cluster_of(request);
  const ModelConfig model = shape_of(config);
  std::vector<std::string> lines{machine_line(cluster),
                                 model_line(model, config.stages.front().model.storage)};
  for (const auto& stage : config.stages)
    for (auto& line : stage_plan(config, stage, model, cluster))
      lines.push_back(std::move(line));
  lines.push_back(
      fmt::format("assumed    {:.0f} % of the peak in products, {:.0f} % of the memory's rate in "
                  "decoding, {:.0f} % "
                  "of a link's; every completion full and trained, nothing overlaps",
                  100 * cluster.kind.product_share, 100 * cluster.kind.memory_share,
                  100 * cluster.kind.link_share));
  return lines;
}

}  // namespace aha
