#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "data/tokenizer/tokenizer.h"
#include "trainer/config/schema.h"
#include "trainer/kernels/cuda_library.h"
#include "trainer/model/decoder.h"
#include "trainer/model/parameters.h"
#include "trainer/optim/trained_weights.h"

namespace aha {

/// Threads that a setting means; 0: all cores.
int thread_count(std::int64_t threads);

/// What model.storage says: f32, bf16 or fp16.
FloatType storage_type(std::string_view name);
std::string_view storage_name(FloatType type);
/// The least number that rounds to none of the type; nothing where training is far from it (f32, bf16).
std::optional<double> storage_limit(FloatType type);

/// The kernels of a device as the configuration names it. `auto` is the CPU, so that a configuration has the same
/// bits everywhere. A process has one GPU, which the first call chooses. UserError when one is asked for and cannot be had.
const Ops& device_ops(std::string_view device, const LocalRank& rank = {});

/// Threads and kernels that a run works with. Owns the team; `exec` points at it.
struct Machine {
  /// `threads` 0: all cores. `strict`: the bits of a row are its own on a device too.
  explicit Machine(std::int64_t threads, const Ops& table = cpu_ops(), bool strict = false);

  ThreadPool pool;
  Exec exec;
  const Ops& ops;
};

/// A model with its tokenizer: what is trained, evaluated and saved.
struct Policy {
  ModelConfig config;
  ParameterLayout layout;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<TrainedWeights> weights;

  /// Ids that may be drawn and trained: those of the tokenizer. Padded rows of the embedding are none.
  std::int64_t vocabulary() const;
};

/// The tokenizer that a job's model section names: of the folder, or a task's own vocabulary.
/// UserError when there is none.
std::unique_ptr<Tokenizer> job_tokenizer(const StageConfig& stage);

/// Tokens of the longest sequence that a job's stages may make: data.max_prompt_length +
/// rollout.max_completion_length. More than a longrope model's original context: its long factors
/// serve the whole job, in rollout, training and evaluation.
std::int64_t longest_sequence(const Config& config);

/// The shape of the job's model: from its folder, or from model.init with the tokenizer's size.
ModelConfig job_model_config(const Config& config, const Tokenizer& tokenizer);

/// How a stage's ranks would hold weights, were it alone.
TrainedWeights::Options weight_division(const StageConfig& stage);
/// How the job's do. Weights stay from stage to stage: by block where any stage says so, and whole in a rollout where
/// all of those do.
TrainedWeights::Options division_of(const Config& config);

/// The policy at the start of a job: loaded from model.path or drawn from the seed. `comm` null: of one rank.
/// Collective.
Policy make_policy(const Config& config, const Machine& machine, Communicator* comm = nullptr);

struct LoadOptions {
  bool need_tokenizer = true;  ///< false: without a tokenizer file, `tokenizer` is null
  std::int64_t context = 0;    ///< as longest_sequence
  FloatType storage = FloatType::F32;
};

/// A policy from a folder alone, for eval, generate and logprobs.
Policy load_policy(const std::filesystem::path& folder, const Machine& machine,
                   const LoadOptions& options);

}  // namespace aha
