#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/prompt_set.h"
#include "data/sampler.h"
#include "rewards/scorer.h"
#include "rollout/engine.h"
#include "trainer/checkpoint/state.h"
#include "trainer/comm/communicator.h"
#include "trainer/objective/adaptive_entropy.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/gradient_sum.h"
#include "trainer/run/learner.h"
#include "trainer/run/policy.h"

namespace aha {

/// One evaluation set.
struct EvalSet {
  std::string name;
  std::string prefix;  ///< of its metrics: "eval_" for the first set, "eval_<name>_" for others
  std::uint32_t index = 0;
  std::unique_ptr<PromptSet> prompts;
  std::unique_ptr<Task> task;  ///< for behaviour counts; null for files
};

/// The data of a stage.
struct StageData {
  std::unique_ptr<PromptSet> train;
  std::unique_ptr<Task> task;  ///< of the training data; null for files
  std::string fingerprint;     ///< Dataset::fingerprint of the training data
  std::vector<EvalSet> eval;
  std::vector<std::string> notes;  ///< duplicates, overlap, dropped rows: said in the plan
};

/// An evaluation set as a configuration names it.
struct NamedSource {
  std::string name;
  std::uint32_t index = 0;  ///< its place among the sets; enters random keys
  DataSource source;
};

/// Opens one evaluation set. UserError as open_stage_data.
EvalSet open_eval_set(const Config& config, const StageConfig& stage, const Tokenizer& tokenizer,
                      const Scorer* scorer, const NamedSource& source);

/// Opens and checks everything that a stage reads. UserError names file, line and what would be right.
StageData open_stage_data(const Config& config, const StageConfig& stage,
                          const Tokenizer& tokenizer, const Scorer* scorer);

/// Tokens of the longest prompt of all sets; of endless ones what the stage allows.
std::int64_t longest_prompt(const StageData& data, const StageConfig& stage);
/// Prompts of the largest evaluation set; 0: there is none.
std::int64_t most_eval_prompts(const StageData& data);

/// The rewards of a stage; null when it has none. UserError for unknown ones and bad options.
std::unique_ptr<Scorer> make_scorer(const StageConfig& stage);

/// Steps of a stage: train.max_steps or what num_train_epochs over `rows` make. UserError for epochs of
/// endless data, and for more than kMaxSteps.
std::int64_t planned_steps(const StageConfig& stage, std::optional<std::int64_t> rows);

/// A stage at work: the objects that its steps use. Made by `make_stage`, driven by the loop.
struct Stage {
  const Config& config;
  const StageConfig& settings;
  std::uint32_t index;
  const Machine& machine;
  Policy& policy;
  Communicator& comm;
  StageData data;
  std::unique_ptr<Scorer> scorer;  ///< null when no reward is configured
  Sampler sampler;
  Engine engine;
  Learner learner;
  GradientSum gradients;
  AdamWOptimizer optimizer;
  std::unique_ptr<TrainedWeights> reference;  ///< null when beta is 0
  AdaptiveEntropy entropy;
  std::int64_t total_steps = 0;
  std::int64_t step = 0;         ///< finished steps
  std::int64_t global_step = 0;  ///< of the job
  std::int64_t num_tokens = 0;
  double typical_step_s = 0;  ///< moving estimate, for the time that a step still needs
};

std::unique_ptr<Stage> make_stage(const Config& config, std::uint32_t index, const Machine& machine,
                                  Policy& policy, Communicator& comm);

/// How a stage sums gradients. Where weights are gathered `by_block` ranks make each pass together, and what a rank
/// sends in its own last pass would meet another's gathering: sums go as in stage 3, whatever the stage says.
GradientSum::Options gradient_options(bool strict, const StageConfig& stage, bool by_block);

/// What the optimizer moves. Padded rows of the embedding and the head, which no id of the tokenizer
/// has, are left out: they have no gradient, and weight decay would still change them.
std::vector<ParamRange> param_ranges(const Policy& policy);

/// Bytes of the decoder's text for rewards and stop strings.
DecodeText text_decoder(const Tokenizer& tokenizer);

/// How a stage samples in training.
SamplingParams rollout_params(const Stage& stage);

}  // namespace aha
