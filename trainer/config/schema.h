#pragma once
// Every struct of a configuration file. Leaf keys carry TRL's names where TRL has the thing.
// Each struct has one `describe()` (describe.h): the one list of its keys, from which reading, --set,
// `aha config` and the resolved dump are derived.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/core/json.h"

namespace aha {

/// `model.init:` a new Llama-type decoder with random weights (normal, std initializer_range, counter RNG).
struct ModelInit {
  std::int64_t hidden_size = 96;
  std::int64_t num_hidden_layers = 2;
  std::int64_t num_attention_heads = 3;
  std::int64_t num_key_value_heads = 0;  ///< 0: as many as num_attention_heads
  std::int64_t head_dim = 0;             ///< 0: hidden_size / num_attention_heads
  std::int64_t intermediate_size = 256;
  std::int64_t max_position_embeddings = 128;
  double rope_theta = 10000.0;
  double rms_norm_eps = 1e-5;
  double initializer_range = 0.02;
  bool tie_word_embeddings = false;

  friend bool operator==(const ModelInit&, const ModelInit&) = default;
};

/// `model:` exactly one of `path` and `init`.
struct ModelConfigSection {
  std::string path;  ///< a Hugging Face folder
  std::optional<ModelInit> init;
  std::string
      tokenizer;  ///< folder with tokenizer.json; empty: `path`, or the task's own vocabulary
  std::string save_dtype = "float32";  ///< float32, bfloat16, float16: of written weights
  std::string storage = "f32";  ///< f32, bf16, fp16: weights in memory, what is computed with
};

/// A task generator's own options; those that a task does not use are refused by it.
struct TaskOptions {
  double wait_probability = 0.15;  ///< countdown_wait: P(go on | miss) in a written trace
  bool verdict = true;             ///< countdown_wait: write ok/no after each attempt
  std::int64_t max_attempts = 10;  ///< countdown_wait
  std::int64_t max_number = 9;     ///< countdown_wait, countdown: largest given number
  std::string operators = "+-";    ///< countdown_wait, countdown: subset of + - * /
  double long_fraction = 0.1;      ///< parity: share of traces that write the running parities
  std::int64_t bits = 16;          ///< parity
  std::int64_t min_numbers = 3;    ///< countdown
  std::int64_t max_numbers = 4;    ///< countdown

  friend bool operator==(const TaskOptions&, const TaskOptions&) = default;
};

/// A dataset: exactly one of `path` (JSONL) and `task` (generated).
struct DataSource {
  std::string path;
  std::string format = "jsonl";  ///< of the file's rows: data/formats.h
  std::string task;              ///< countdown_wait, parity, countdown
  TaskOptions task_options;
  std::int64_t count = 0;  ///< rows to use; 0: all of a file, endless for a task
  std::string name;        ///< its `source` when rows have none; empty: file stem or task
};

/// `data:`
struct DataSection {
  DataSource train;
  std::map<std::string, DataSource>
      eval;  ///< the first (in file order: eval_order) keeps bare metric names
  std::vector<std::string> eval_order;  ///< names of `eval` in the order of the file; not a key
  double eval_fraction = 0.0;  ///< > 0: hold out this share of `train` rows as set `held_out`
  std::string prompt_template =
      "raw";                       ///< raw, r1_zero, r1_zero_think, chat, or a text with {field}
  std::string system_prompt;       ///< chat: of conversations that begin with none
  std::string chat_template;       ///< chat: which of the model's named templates; empty: default
  std::string chat_template_date;  ///< chat: what strftime_now says, 2024-07-26
  /// chat: variables of the template, such as enable_thinking
  OrderedJson chat_template_kwargs = OrderedJson::object();
  std::string question_field = "question";  ///< field that raw and r1_zero take the question from
  std::string answer_field = "answer";      ///< gold
  std::string completion_field = "completion";  ///< sft: target text
  std::int64_t max_prompt_length = 512;         ///< tokens
  std::string overlong_prompts = "error";       ///< error, drop
  std::int64_t max_invalid = 0;  ///< malformed or unjudgeable rows tolerated (skipped, counted)
  bool shuffle_dataset = true;
};

/// `rollout:`
struct RolloutConfig {
  std::int64_t num_generations = 8;          ///< G
  std::int64_t max_completion_length = 512;  ///< tokens
  double temperature = 1.0;
  double top_p = 1.0;
  std::int64_t top_k = 0;  ///< 0: off
  double min_p = 0.0;      ///< 0: off
  std::vector<std::string> stop_strings;
  std::vector<std::int64_t> stop_token_ids;  ///< besides the model's eos ids
  bool ignore_eos = false;                   ///< benchmarks: every completion has full length
  std::int64_t max_batch_size =
      0;  ///< rows decoded at once; 0: a step\'s completions, at least 256
};

/// The option of a reward that may be a list of texts. It is kept as its JSON, which is YAML, too.
inline constexpr const char* kListOption = "command";

/// One entry of `reward.functions`.
struct RewardFunction {
  std::string name;
  double weight = 1.0;
  std::vector<std::string> sources;            ///< only rows whose `source` is in it; empty: all
  std::map<std::string, std::string> options;  ///< every other key, as text; read by the reward
};

/// `reward:`
struct RewardSection {
  std::vector<RewardFunction> functions;
  std::string accuracy;       ///< which reward is "accuracy"; empty: the first verifier
  std::int64_t threads = 0;   ///< 0: all cores
  double timeout_s = 10.0;    ///< for completions scored together; later ones cannot be judged
  double max_unjudged = 0.1;  ///< share of a step's completions; a run with more of them stops
};

/// `objective:` formulas in trainer/objective.
struct ObjectiveConfig {
  std::string preset = "grpo";  ///< grpo dr_grpo dapo bnpo gspo cispo rloo reinforce_pp
  std::string advantage_estimator =
      "group_norm";  ///< group_norm rloo reinforce_pp reinforce_pp_baseline gdpo opo max_rl
  std::string scale_rewards = "group";  ///< group, batch, none
  std::int64_t std_ddof = 1;            ///< 0 or 1
  double std_epsilon = 1e-4;
  std::string policy_loss = "clip";  ///< clip cispo gmpo sapo gpg
  std::string importance_sampling_level =
      "token";  ///< token, sequence (length-normalised), sequence_token, sequence_sum (rloo: not normalised)
  double epsilon = 0.2;
  std::optional<double> epsilon_high;  ///< nothing: epsilon
  std::optional<double> delta;         ///< two-sided upper clip of the ratio
  std::optional<double> dual_clip;     ///< c of dual-clip PPO, > 1
  double is_cap_low = 0.0;             ///< cispo: absolute ratio bounds
  double is_cap_high = 5.0;
  double gmpo_clip = 0.4;  ///< log-ratio bound
  double sapo_temperature_pos = 1.0;
  double sapo_temperature_neg = 1.05;
  std::string aggregation =
      "token-mean";   ///< token-mean seq-mean-token-sum seq-mean-token-mean seq-mean-token-sum-norm
  double beta = 0.0;  ///< KL weight; 0 loads no reference
  std::string kl_estimator = "k3";  ///< k1 k2 k3 k3+
  std::string kl_in = "loss";       ///< loss, reward
  bool use_bias_correction_kl = false;
  bool sync_ref_model = false;
  double ref_model_mixup_alpha = 0.6;  ///< 1: copy
  std::int64_t ref_model_sync_steps = 512;
  double entropy_coef = 0.0;
  bool use_adaptive_entropy = false;
  double entropy_coef_min = 0.0;
  double entropy_coef_max = 1.0;
  double entropy_coef_delta = 0.005;
  double entropy_target = 0.2;
  double top_entropy_quantile = 1.0;
  bool mask_truncated_completions = false;
  std::string zero_variance_groups = "keep";  ///< keep, drop, refill (DAPO dynamic sampling)
  std::int64_t max_resample_batches =
      10;                           ///< refill: bound on draws, in batches of prompts_per_step
  std::int64_t num_iterations = 1;  ///< passes over a rollout (mu)
  std::int64_t minibatches = 1;     ///< optimizer updates a pass
};

/// `optim:` AdamW.
struct OptimConfig {
  double learning_rate = 1e-6;
  std::string lr_scheduler_type = "constant";  ///< constant, linear, cosine
  std::int64_t warmup_steps = 0;
  double min_lr_ratio = 0.0;            ///< linear, cosine: end value / learning_rate
  std::int64_t lr_scheduler_steps = 0;  ///< length of the schedule; 0: train.max_steps
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.999;
  double adam_epsilon = 1e-8;
  double weight_decay = 0.0;    ///< decoupled; not on norms and biases
  double max_grad_norm = 1.0;   ///< 0: no clipping
  std::int64_t zero_stage = 1;  ///< what ranks divide: 1 moments, 2 and gradients, 3 and weights
  bool zero3_gather_for_rollout = true;  ///< stage 3: all weights at once, or a block at a time
};

/// Steps of one stage at most.
constexpr std::int64_t kMaxSteps = (std::int64_t{1} << 24) - 1;

/// `train:`
struct TrainConfig {
  std::int64_t max_steps = 100;        ///< 0 with num_train_epochs > 0: by epochs
  double num_train_epochs = 0.0;       ///< 0: max_steps rules
  std::int64_t prompts_per_step = 16;  ///< P
  std::int64_t max_tokens_per_micro_batch = 8192;
  std::int64_t per_device_train_batch_size =
      0;  ///< grpo: completions a micro-batch at most, 0: no limit; sft: sequences a step
  bool gradient_checkpointing = false;   ///< compute blocks again on the way back: less memory
  bool keep_logits = true;               ///< a GPU's, for the way back: less time, more memory
  std::string grad_accum_dtype = "f32";  ///< or bf16, rounded stochastically
  std::int64_t strict_chunk = 8;         ///< strict: completions of one group that form a unit
  std::int64_t threads = 0;              ///< 0: all cores
  std::int64_t bucket_batches = 1;  ///< sft: sort this many batches by length together; 1: as drawn
};

/// `eval:`
struct EvalConfig {
  std::int64_t eval_steps = 0;       ///< 0: only before the first and after the last step
  std::int64_t num_generations = 1;  ///< samples a prompt
  double temperature = 1.0;
  bool greedy = true;  ///< eval_greedy_accuracy beside it
  std::vector<std::int64_t> pass_at_k;
  std::int64_t max_prompts = 0;  ///< 0: all rows of the set
  std::int64_t final_num_generations =
      0;  ///< samples a prompt in the stage's last evaluation; 0: num_generations
};

/// `checkpoint:`
struct CheckpointConfig {
  std::int64_t save_steps = 0;        ///< 0: only at the end of a stage
  std::int64_t save_total_limit = 2;  ///< newest kept; 0: all
  std::string best_metric;  ///< keep the checkpoint with the highest value too, e.g. eval_accuracy
  double grace_s = 20.0;    ///< after a signal: finish the step if it ends within this
  bool async = true;        ///< write from a copy, while training goes on
  std::int64_t max_failed_saves = 3;  ///< in a row, then the run stops
};

/// `log:`
struct LogConfig {
  std::int64_t logging_steps = 1;
  bool log_completions = true;
  std::int64_t completions_per_step = 8;  ///< rows written to completions/ a step; 0: all
  bool completion_ids = false;
  bool completion_logprobs = false;  ///< with entropies
  bool tensorboard = true;
  bool trace = false;      ///< trace_N.json: phases and collectives of all ranks
  std::string prometheus;  ///< [ADDRESS:]PORT at which rank 0 serves /metrics; empty: it does not
  std::vector<std::string> reflection_words = {"wait",    "recheck", "retry",  "alternatively",
                                               "however", "mistake", "verify", "check"};
};

/// `comm:`
struct CommConfig {
  double timeout_s = 600.0;   ///< of one collective
  double heartbeat_s = 60.0;  ///< a rank that is silent for longer is dead
  bool read_memory = true;  ///< ranks of one machine fetch from each other's memory where they may
};

/// The settings of one stage: base sections with the stage's overrides applied.
struct StageConfig {
  std::string name = "grpo";
  std::string method = "grpo";  ///< sft, grpo
  ModelConfigSection model;
  DataSection data;
  RolloutConfig rollout;
  RewardSection reward;
  ObjectiveConfig objective;
  OptimConfig optim;
  TrainConfig train;
  EvalConfig eval;
  CheckpointConfig checkpoint;
  LogConfig log;
  CommConfig comm;
};

/// A whole job.
struct Config {
  std::uint64_t seed = 42;
  std::string output_dir;
  std::string device = "auto";  ///< auto, cpu, cuda
  bool strict = false;
  std::vector<StageConfig> stages;  ///< at least one
};

}  // namespace aha
