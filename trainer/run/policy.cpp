#include "trainer/run/policy.h"

#include <algorithm>
#include <array>

#include "data/tasks/task.h"
#include "data/tokenizer/word_level.h"
#include "trainer/core/error.h"
#include "trainer/kernels/device_ops.h"
#include "trainer/model/weights.h"

namespace aha {
namespace {

/// The config of a folder for sequences of up to `longest` tokens.
ModelConfig model_in(const std::filesystem::path& folder, std::int64_t longest) {
  auto config = read_model_config(folder);
  const auto& scaling = config.rope_scaling;
  config.long_context =
      scaling.kind == RopeScaling::Kind::LongRope && longest > scaling.original_positions;
  return config;
}

constexpr std::array<std::pair<std::string_view, FloatType>, 3> kStorages{
    {{"f32", FloatType::F32}, {"bf16", FloatType::BF16}, {"fp16", FloatType::F16}}};

void build_decoder(Policy& policy, const Machine& machine) {
  if (!machine.ops.memory->host && policy.config.head_dim > kMaxHeadWidth)
    fail("device: heads are {} wide, and attention on a GPU serves at most {}; cpu would be right",
         policy.config.head_dim, kMaxHeadWidth);
  policy.decoder = std::make_unique<Decoder>(policy.config, machine.ops);
}

/// [own] of what the policy starts from.
Tensor start_values(const Config& config, const Policy& policy, const Machine& machine, Slice own) {
  const auto& path = config.stages.front().model.path;
  if (!path.empty()) return load_weights(path, policy.layout, own.begin, own.end);
  const Tensor all = init_parameters(policy.layout, policy.config, config.seed, machine.exec);
  return own.size() == policy.layout.total ? all : all.slice(0, own.begin, own.end).clone();
}

}  // namespace

int thread_count(std::int64_t threads) {
  return threads > 0 ? static_cast<int>(threads) : available_cores();
}

FloatType storage_type(std::string_view name) {
  for (const auto& [text, type] : kStorages)
    if (text == name) return type;
  throw InternalError("a storage is f32, bf16 or fp16");
}

std::string_view storage_name(FloatType type) {
  return kStorages[static_cast<std::size_t>(type)].first;
}

const Ops& device_ops(std::string_view device, const LocalRank& rank) {
  return device == "cuda" ? cuda_ops(rank) : cpu_ops();
}

Machine::Machine(std::int64_t threads, const Ops& table, bool strict)
    : pool(thread_count(threads)), exec{&pool}, ops(table) {
  if (ops.device != nullptr) ops.device->set_invariant(strict);
}

std::optional<double> storage_limit(FloatType type) {
  // 65504 is the largest; from here on the nearest would be 65536
  if (type == FloatType::F16) return 65520.0;
  return std::nullopt;
}

std::int64_t Policy::vocabulary() const {
  return tokenizer ? std::min(tokenizer->vocabulary_size(), config.vocab_size) : config.vocab_size;
}

std::unique_ptr<Tokenizer> job_tokenizer(const StageConfig& stage) {
  if (!stage.model.tokenizer.empty()) return load_tokenizer(stage.model.tokenizer);
  if (!stage.model.path.empty()) return load_tokenizer(stage.model.path);
  if (!stage.data.train.task.empty()) {
    const auto words =
        make_task(stage.data.train.task, stage.data.train.task_options)->vocabulary();
    if (!words.empty()) return make_word_level_tokenizer(words);
  }
  fail(
      "model.tokenizer: none is given and the data brings no vocabulary of its own; name a folder "
      "that holds tokenizer.json");
}

std::int64_t longest_sequence(const Config& config) {
  std::int64_t longest = 0;
  for (const auto& stage : config.stages)
    longest = std::max(longest, stage.data.max_prompt_length + stage.rollout.max_completion_length);
  return longest;
}

ModelConfig job_model_config(const Config& job, const Tokenizer& tokenizer) {
  const StageConfig& stage = job.stages.front();
  if (!stage.model.path.empty()) return model_in(stage.model.path, longest_sequence(job));
  check(stage.model.init.has_value(), "a job has model.path or model.init");
  const ModelInit& init = *stage.model.init;
  ModelConfig config;
  config.vocab_size = tokenizer.vocabulary_size();
  config.hidden_size = init.hidden_size;
  config.num_hidden_layers = init.num_hidden_layers;
  config.num_attention_heads = init.num_attention_heads;
  config.num_key_value_heads =
      init.num_key_value_heads > 0 ? init.num_key_value_heads : init.num_attention_heads;
  config.head_dim = init.head_dim > 0 ? init.head_dim : init.hidden_size / init.num_attention_heads;
  config.intermediate_size = init.intermediate_size;
  config.max_position_embeddings = init.max_position_embeddings;
  config.rope_theta = init.rope_theta;
  config.rms_norm_eps = init.rms_norm_eps;
  config.initializer_range = init.initializer_range;
  config.tie_word_embeddings = init.tie_word_embeddings;
  config.bos_token_id = tokenizer.bos_id();
  config.pad_token_id = tokenizer.pad_id();
  if (const auto eos = tokenizer.eos_id()) config.eos_token_ids = {*eos};
  validate_model_config(config, "model.init");
  return config;
}

TrainedWeights::Options weight_division(const StageConfig& stage) {
  TrainedWeights::Options options;
  options.storage = storage_type(stage.model.storage);
  options.by_block = stage.optim.zero_stage == 3;
  options.whole_in_rollout = stage.optim.zero3_gather_for_rollout;
  return options;
}

TrainedWeights::Options division_of(const Config& config) {
  TrainedWeights::Options options = weight_division(config.stages.front());
  for (const auto& stage : config.stages) {
    const auto own = weight_division(stage);
    if (!own.by_block) continue;
    options.whole_in_rollout =
        own.whole_in_rollout && (!options.by_block || options.whole_in_rollout);
    options.by_block = true;
  }
  return options;
}

Policy make_policy(const Config& config, const Machine& machine, Communicator* comm) {
  const StageConfig& stage = config.stages.front();
  Policy policy;
  policy.tokenizer = job_tokenizer(stage);
  policy.config = job_model_config(config, *policy.tokenizer);
  const bool loaded = !stage.model.path.empty();
  check_vocabulary(policy.tokenizer->vocabulary_size(), policy.config,
                   stage.model.tokenizer.empty() ? stage.model.path : stage.model.tokenizer,
                   loaded ? stage.model.path : "model.init");
  policy.layout = make_layout(policy.config);
  build_decoder(policy, machine);
  const auto shards = shards_of(policy.layout.total, comm == nullptr ? 1 : comm->size());
  const Slice own = shards[static_cast<std::size_t>(comm == nullptr ? 0 : comm->rank())];
  policy.weights = std::make_unique<TrainedWeights>(
      policy.config, policy.layout, machine.ops, machine.exec,
      start_values(config, policy, machine, own), division_of(config), comm);
  policy.weights->publish();
  return policy;
}

Policy load_policy(const std::filesystem::path& folder, const Machine& machine,
                   const LoadOptions& options) {
  Policy policy;
  policy.config = model_in(folder, options.context);
  if (options.need_tokenizer || std::filesystem::exists(folder / "tokenizer.json")) {
    policy.tokenizer = load_tokenizer(folder);
    check_vocabulary(policy.tokenizer->vocabulary_size(), policy.config, folder.string(),
                     folder.string());
  }
  policy.layout = make_layout(policy.config);
  const bool whole = options.storage == FloatType::F32;
  build_decoder(policy, machine);
  ResidentWeights weights(policy.config, policy.layout, machine.ops,
                          whole ? load_weights(folder, policy.layout) : Tensor(), options.storage);
  if (!whole)
    read_weights(folder, policy.layout,
                 [&](const Parameter& p, std::int64_t first, std::span<const float> values) {
                   weights.put(machine.exec, p, first, values);
                 });
  weights.publish(machine.exec);
  policy.weights = std::make_unique<TrainedWeights>(std::move(weights), machine.exec);
  return policy;
}

}  // namespace aha
