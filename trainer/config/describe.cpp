#include "trainer/config/describe.h"

namespace aha {
namespace {

constexpr double kMaxSeed = 18446744073709551615.0;

template <class Struct>
Visitor::Parts parts_of(Struct& s) {
  return [&s](Visitor& v) { describe(v, s); };
}

}  // namespace

void describe(Visitor& v, ModelInit& s) {
  const auto count = [](const char* name, const char* meaning) {
    return Key(name, meaning).at_least(1);
  };
  v.leaf(count("hidden_size", "width of the residual stream"), &s.hidden_size);
  v.leaf(count("num_hidden_layers", "decoder blocks"), &s.num_hidden_layers);
  v.leaf(count("num_attention_heads", "query heads"), &s.num_attention_heads);
  v.leaf(Key("num_key_value_heads", "key/value heads; 0: num_attention_heads").at_least(0),
         &s.num_key_value_heads);
  v.leaf(Key("head_dim", "width of a head, even; 0: hidden_size / num_attention_heads").at_least(0),
         &s.head_dim);
  v.leaf(count("intermediate_size", "width of the SwiGLU"), &s.intermediate_size);
  v.leaf(count("max_position_embeddings", "positions: prompt and completion together"),
         &s.max_position_embeddings);
  v.leaf(Key("rope_theta", "base of the rotary frequencies").above(0), &s.rope_theta);
  v.leaf(Key("rms_norm_eps", "added to the mean square in RMSNorm").above(0), &s.rms_norm_eps);
  v.leaf(Key("initializer_range", "standard deviation of the normal weights").above(0),
         &s.initializer_range);
  v.leaf(Key("tie_word_embeddings", "head and embedding are one matrix"), &s.tie_word_embeddings);
}

void describe(Visitor& v, ModelConfigSection& s) {
  v.leaf(Key("path", "Hugging Face folder to start from; this or init")
             .free_to_change()
             .in_trl("model_name_or_path"),
         &s.path);
  v.init(Key("init", "a new Llama-type decoder with random weights; this or path"), s.init);
  v.leaf(Key("tokenizer", "folder with tokenizer.json; empty: path, or the task's own vocabulary"),
         &s.tokenizer);
  v.leaf(Key("save_dtype", "number type of written weights")
             .one_of({"float32", "bfloat16", "float16"}),
         &s.save_dtype);
  v.leaf(
      Key("storage",
          "number type of the weights that rollout and training read: bf16 and fp16 halve what a "
          "decode step reads; arithmetic and the optimizer's own copy stay f32")
          .one_of({"f32", "bf16", "fp16"}),
      &s.storage);
}

void describe(Visitor& v, TaskOptions& s) {
  v.leaf(Key("wait_probability", "countdown_wait: chance that a written trace goes on after a miss")
             .at_least(0)
             .at_most(1),
         &s.wait_probability);
  v.leaf(Key("verdict", "countdown_wait: written traces say ok or no after an attempt"),
         &s.verdict);
  v.leaf(Key("max_attempts", "countdown_wait: attempts in a written trace at most").at_least(1),
         &s.max_attempts);
  v.leaf(Key("max_number", "countdown_wait, countdown: largest given number").at_least(1),
         &s.max_number);
  v.leaf(Key("operators", "countdown_wait, countdown: some of + - * /"), &s.operators);
  v.leaf(Key("long_fraction", "parity: share of written traces with the running parities")
             .at_least(0)
             .at_most(1),
         &s.long_fraction);
  v.leaf(Key("bits", "parity: digits of a problem").at_least(1), &s.bits);
  v.leaf(Key("min_numbers", "countdown: given numbers at least").at_least(1), &s.min_numbers);
  v.leaf(Key("max_numbers", "countdown: given numbers at most").at_least(1), &s.max_numbers);
}

void describe(Visitor& v, DataSource& s) {
  v.leaf(Key("path", "JSONL file; this or task"), &s.path);
  v.leaf(Key("format",
             "how the rows of the file are published; all but jsonl make question and answer of "
             "them")
             .one_of({"jsonl", "gsm8k", "svamp", "math", "aime", "amc", "countdown"}),
         &s.format);
  v.leaf(Key("task", "generator: countdown_wait, parity, countdown; this or path"), &s.task);
  v.leaf(Key("count", "rows to use; 0: all of a file, endless for a task").at_least(0), &s.count);
  v.leaf(Key("name", "`source` of rows that have none; empty: the file's stem, or the task"),
         &s.name);
  describe(v, s.task_options);
}

void describe(Visitor& v, DataSection& s) {
  v.source(Key("train", "the training rows"), s.train);
  v.eval_sets(Key("eval",
                  "evaluation sets by name; the first has the bare metric names eval_*, "
                  "others eval_NAME_*"),
              s);
  v.leaf(Key("eval_fraction", "above 0: hold out this share of train's file as set held_out")
             .at_least(0)
             .below(1),
         &s.eval_fraction);
  v.leaf(
      Key("prompt_template",
          "raw, r1_zero, r1_zero_think, chat (the model's own template), or a text with {field}"),
      &s.prompt_template);
  v.leaf(Key("system_prompt", "chat: system message of conversations that begin with none"),
         &s.system_prompt);
  v.leaf(Key("chat_template", "chat: which of the model's named templates; empty: its default"),
         &s.chat_template);
  v.leaf(Key("chat_template_date",
             "chat: the date that the template is told, such as 2024-07-26; a template that asks "
             "for it is refused without"),
         &s.chat_template_date);
  v.leaf(Key("chat_template_kwargs",
             "chat: variables of the template, such as enable_thinking; add_generation_prompt is "
             "true unless given"),
         &s.chat_template_kwargs);
  v.leaf(
      Key("question_field", "field of a row with the question; chat: a text or a list of messages"),
      &s.question_field);
  v.leaf(Key("answer_field", "field of a row with the gold"), &s.answer_field);
  v.leaf(Key("completion_field", "sft: field of a row with the text to learn"),
         &s.completion_field);
  v.leaf(Key("max_prompt_length", "tokens of a prompt at most").at_least(1), &s.max_prompt_length);
  v.leaf(Key("overlong_prompts", "a longer prompt is an error, or dropped and counted")
             .one_of({"error", "drop"}),
         &s.overlong_prompts);
  v.leaf(Key("max_invalid", "malformed or unjudgeable rows that are skipped, not an error")
             .at_least(0),
         &s.max_invalid);
  v.leaf(Key("shuffle_dataset", "a new order of the rows each epoch"), &s.shuffle_dataset);
}

void describe(Visitor& v, RolloutConfig& s) {
  v.leaf(Key("num_generations", "completions of a prompt (G)").at_least(1), &s.num_generations);
  v.leaf(Key("max_completion_length", "tokens of a completion at most").at_least(1),
         &s.max_completion_length);
  v.leaf(Key("temperature", "divides the logits, in rollout and in training").above(0),
         &s.temperature);
  v.leaf(Key("top_p", "nucleus: least set of tokens with this probability; 1: off")
             .above(0)
             .at_most(1),
         &s.top_p);
  v.leaf(Key("top_k", "the most probable tokens only; 0: off").at_least(0), &s.top_k);
  v.leaf(Key("min_p", "tokens with this share of the top probability at least; 0: off")
             .at_least(0)
             .at_most(1),
         &s.min_p);
  v.leaf(Key("stop_strings", "texts that end a completion"), &s.stop_strings);
  v.leaf(
      Key("stop_token_ids", "ids that end a completion, besides the model's eos ids").at_least(0),
      &s.stop_token_ids);
  v.leaf(Key("ignore_eos", "benchmarks: every completion has full length"), &s.ignore_eos);
  v.leaf(Key("max_batch_size",
             "rows decoded at once; 0: a step's completions, at least 256. Changes no sample")
             .at_least(0)
             .free_to_change(),
         &s.max_batch_size);
}

void describe(Visitor& v, RewardFunction& s) {
  v.leaf(Key("name", "a reward of the registry (aha score --help lists all)"), &s.name);
  v.leaf(Key("weight", "its weight in the sum").in_trl("reward_weights"), &s.weight);
  v.leaf(Key("sources", "only rows whose `source` is in it; empty: all"), &s.sources);
  v.other_keys(s.options);
}

void describe(Visitor& v, RewardSection& s) {
  v.rewards(Key("functions", "the rewards that are summed: {name, weight, sources, options}")
                .in_trl("reward_funcs"),
            s.functions);
  v.leaf(Key("accuracy", "the reward that is 'accuracy'; empty: the first verifier"), &s.accuracy);
  v.leaf(Key("threads", "0: all cores").at_least(0).free_to_change(), &s.threads);
  v.leaf(Key("timeout_s",
             "seconds for rewards that wait for another program; later ones cannot be judged")
             .above(0)
             .free_to_change(),
         &s.timeout_s);
  v.leaf(Key("max_unjudged",
             "share of a step's completions that a reward cannot judge, beyond which the run stops")
             .at_least(0)
             .at_most(1)
             .free_to_change(),
         &s.max_unjudged);
}

void describe(Visitor& v, OptimConfig& s) {
  v.leaf(Key("learning_rate", "of AdamW, after warm-up").at_least(0), &s.learning_rate);
  v.leaf(Key("lr_scheduler_type", "course of the learning rate")
             .one_of({"constant", "linear", "cosine"}),
         &s.lr_scheduler_type);
  v.leaf(Key("warmup_steps", "updates over which the rate rises from 0").at_least(0),
         &s.warmup_steps);
  v.leaf(Key("min_lr_ratio", "linear, cosine: last rate / learning_rate").at_least(0).at_most(1),
         &s.min_lr_ratio);
  v.leaf(Key("lr_scheduler_steps", "length of the schedule; 0: the stage's updates").at_least(0),
         &s.lr_scheduler_steps);
  v.leaf(Key("adam_beta1", "decay of the first moment").at_least(0).below(1), &s.adam_beta1);
  v.leaf(Key("adam_beta2", "decay of the second moment").at_least(0).below(1), &s.adam_beta2);
  v.leaf(Key("adam_epsilon", "added to the root of the second moment").above(0), &s.adam_epsilon);
  v.leaf(Key("weight_decay", "decoupled; not on norms and biases").at_least(0), &s.weight_decay);
  v.leaf(Key("max_grad_norm", "bound on the gradient's norm; 0: none").at_least(0),
         &s.max_grad_norm);
  v.leaf(Key("zero_stage",
             "what ranks divide: 1: moments; 2: and gradients; 3: and weights, each of which takes "
             "less memory and sends more")
             .at_least(1)
             .at_most(3)
             .free_to_change(),
         &s.zero_stage);
  v.leaf(Key("zero3_gather_for_rollout",
             "zero_stage 3: gather all weights for a rollout; false: block by block in each "
             "decode step, which fits larger models and is slow")
             .free_to_change()
             .in_trl("ds3_gather_for_generation"),
         &s.zero3_gather_for_rollout);
}

void describe(Visitor& v, TrainConfig& s) {
  v.leaf(Key("max_steps",
             "steps of the stage; 0: by num_train_epochs. May grow in a resumed run with "
             "a constant schedule or optim.lr_scheduler_steps")
             .at_least(0),
         &s.max_steps);
  v.leaf(Key("num_train_epochs", "passes over train; 0: max_steps alone").at_least(0),
         &s.num_train_epochs);
  v.leaf(Key("prompts_per_step", "grpo: prompts of a step (P)")
             .at_least(1)
             .in_trl("generation_batch_size / num_generations"),
         &s.prompts_per_step);
  v.leaf(Key("max_tokens_per_micro_batch", "rows of one forward and backward pass at most")
             .at_least(1),
         &s.max_tokens_per_micro_batch);
  v.leaf(Key("per_device_train_batch_size",
             "grpo: completions of a micro-batch at most, 0: no limit; sft: sequences of a step")
             .at_least(0),
         &s.per_device_train_batch_size);
  v.leaf(Key("gradient_checkpointing",
             "keep what enters each block and compute the rest again on the way back: less memory, "
             "about a quarter more time in training, more with long sequences. Changes no bit")
             .free_to_change(),
         &s.gradient_checkpointing);
  v.leaf(
      Key("keep_logits",
          "a GPU with weights of 16 bits keeps 2 bytes a logit for the way back, where a "
          "micro-batch has at most 6 GiB of them; false: computes them again, in less memory and "
          "more time. Changes roundings alone")
          .free_to_change(),
      &s.keep_logits);
  v.leaf(Key("grad_accum_dtype",
             "what micro-batches' gradients are summed in; bf16: stochastically rounded, 2 bytes a "
             "parameter instead of 4. Not with strict")
             .one_of({"f32", "bf16"}),
         &s.grad_accum_dtype);
  v.leaf(Key("strict_chunk", "strict: completions of one group that form a unit of the gradient")
             .at_least(1),
         &s.strict_chunk);
  v.leaf(Key("threads", "0: all cores. Changes no bit").at_least(0).free_to_change(), &s.threads);
  v.leaf(Key("bucket_batches",
             "sft: batches that are sorted by length together; 1: as drawn. Batches are packed "
             "without padding, so sorting saves no work and unmixes lengths")
             .at_least(1),
         &s.bucket_batches);
}

void describe(Visitor& v, EvalConfig& s) {
  v.leaf(Key("eval_steps", "evaluate every so many steps; 0: before the first and after the last")
             .at_least(0)
             .free_to_change(),
         &s.eval_steps);
  v.leaf(Key("num_generations", "samples of a prompt").at_least(1).in_trl("num_generations_eval"),
         &s.num_generations);
  v.leaf(Key("temperature", "of the samples").above(0), &s.temperature);
  v.leaf(Key("greedy", "eval_greedy_accuracy beside the sampled one"), &s.greedy);
  v.leaf(Key("pass_at_k", "k of eval_pass@k, each at most num_generations").at_least(1),
         &s.pass_at_k);
  v.leaf(Key("max_prompts", "rows of a set at most; 0: all").at_least(0), &s.max_prompts);
  v.leaf(Key("final_num_generations", "samples of a prompt after the last step; 0: num_generations")
             .at_least(0),
         &s.final_num_generations);
}

void describe(Visitor& v, CheckpointConfig& s) {
  v.leaf(Key("save_steps", "save every so many steps; 0: at the end of a stage")
             .at_least(0)
             .free_to_change(),
         &s.save_steps);
  v.leaf(Key("save_total_limit", "newest checkpoints that are kept; 0: all")
             .at_least(0)
             .free_to_change(),
         &s.save_total_limit);
  v.leaf(Key("best_metric", "also keep the checkpoint where this is highest, e.g. eval_accuracy")
             .free_to_change()
             .in_trl("metric_for_best_model"),
         &s.best_metric);
  v.leaf(Key("grace_s", "after a signal: finish the step if that takes no longer, seconds")
             .at_least(0)
             .free_to_change(),
         &s.grace_s);
  v.leaf(Key("async", "write from a copy in memory while training goes on").free_to_change(),
         &s.async);
  v.leaf(Key("max_failed_saves", "saves that may fail in a row; then the run stops")
             .at_least(1)
             .free_to_change(),
         &s.max_failed_saves);
}

void describe(Visitor& v, LogConfig& s) {
  v.leaf(Key("logging_steps", "a line and a metrics row every so many steps")
             .at_least(1)
             .free_to_change(),
         &s.logging_steps);
  v.leaf(Key("log_completions", "write completions/").free_to_change(), &s.log_completions);
  v.leaf(Key("completions_per_step", "rows of a step in completions/; 0: all")
             .at_least(0)
             .free_to_change()
             .in_trl("num_completions_to_print"),
         &s.completions_per_step);
  v.leaf(Key("completion_ids", "token ids in completions/").free_to_change(), &s.completion_ids);
  v.leaf(Key("completion_logprobs", "log-probability and entropy of each token in completions/")
             .free_to_change(),
         &s.completion_logprobs);
  v.leaf(Key("tensorboard", "write tensorboard/").free_to_change().in_trl("report_to"),
         &s.tensorboard);
  v.leaf(
      Key("trace", "write trace_N.json: phases and collectives of all ranks, for ui.perfetto.dev")
          .free_to_change(),
      &s.trace);
  v.leaf(Key("prometheus",
             "port, or ADDRESS:PORT, at which rank 0 serves /metrics for Prometheus, such as 9464: "
             "this machine alone sees a bare port, 0.0.0.0:9464 is seen by others; empty: none")
             .free_to_change(),
         &s.prometheus);
  v.leaf(Key("reflection_words", "words that count as reflection").free_to_change(),
         &s.reflection_words);
}

void describe(Visitor& v, CommConfig& s) {
  v.leaf(Key("timeout_s", "seconds that ranks wait for each other in one collective")
             .above(0)
             .free_to_change(),
         &s.timeout_s);
  v.leaf(Key("heartbeat_s", "seconds without a sign of life after which a rank is taken for dead")
             .above(0)
             .free_to_change(),
         &s.heartbeat_s);
  v.leaf(Key("read_memory",
             "ranks that are all on one machine fetch gradients and weights from each other's "
             "memory (process_vm_readv) where the system lets them; false: they are sent")
             .free_to_change(),
         &s.read_memory);
}

void describe_sections(Visitor& v, StageConfig& s) {
  v.model(Key("model", "the decoder and its tokenizer; the first stage's counts"), s.model);
  v.section(Key("data", "training rows, evaluation sets, prompt template"), parts_of(s.data));
  v.section(Key("rollout", "how completions are sampled"), parts_of(s.rollout));
  v.section(Key("reward", "what completions are worth"), parts_of(s.reward));
  v.section(Key("objective", "advantages, loss, KL, entropy, updates of a rollout"),
            parts_of(s.objective));
  v.section(Key("optim", "AdamW and its schedule"), parts_of(s.optim));
  v.section(Key("train", "steps, batch sizes, threads"), parts_of(s.train));
  v.section(Key("eval", "when and how the evaluation sets are run"), parts_of(s.eval));
  v.section(Key("checkpoint", "when checkpoints are written and which are kept"),
            parts_of(s.checkpoint));
  v.section(Key("log", "console, metrics, completions, TensorBoard"), parts_of(s.log));
  v.section(Key("comm", "several processes"), parts_of(s.comm));
}

void describe_head(Visitor& v, StageConfig& s) {
  v.leaf(Key("name", "of the stage; unique"), &s.name);
  v.leaf(Key("method",
             "supervised fine-tuning, or GRPO and its relatives; each of `stages` names its own")
             .one_of({"sft", "grpo"}),
         &s.method);
}

void describe_job(Visitor& v, Config& s) {
  v.leaf(Key("seed", "of every random number").at_least(0).at_most(kMaxSeed), &s.seed);
  v.leaf(Key("output_dir", "folder of the run: checkpoints, metrics, completions").free_to_change(),
         &s.output_dir);
  v.leaf(
      Key("device",
          "where to compute; auto: the CPU, so that a configuration has the same bits everywhere")
          .one_of({"auto", "cpu", "cuda"}),
      &s.device);
  v.leaf(Key("strict",
             "same bits for any number of ranks; micro-batches are strict_chunk completions of a "
             "group"),
         &s.strict);
}

Key stages_key() {
  return {"stages",
          "the job's parts in order, each from the last one's weights: {name, method, and "
          "any section overridden}; without it one stage named grpo"};
}

}  // namespace aha
