#include "trainer/config/rules.h"

#include <algorithm>

#include "trainer/config/listen_address.h"
#include "trainer/config/rule_list.h"
#include "trainer/config/yaml_fields.h"
#include "trainer/core/text.h"

namespace aha {
namespace {

void check_init(const ModelInit& init, RuleList& rules) {
  const auto heads = init.num_attention_heads;
  const auto kv_heads = init.num_key_value_heads;
  if (kv_heads > 0 && heads % kv_heads != 0)
    rules.broken("model.init.num_key_value_heads",
                 "{} do not divide model.init.num_attention_heads {}", kv_heads, heads);
  if (init.head_dim == 0 && init.hidden_size % heads != 0)
    rules.broken(
        "model.init.num_attention_heads",
        "{} do not divide model.init.hidden_size {}; change one, or give model.init.head_dim",
        heads, init.hidden_size);
  else if (const auto width = init.head_dim > 0 ? init.head_dim : init.hidden_size / heads;
           width % 2 != 0)
    rules.broken(init.head_dim > 0 ? "model.init.head_dim" : "model.init.num_attention_heads",
                 "heads are {} wide; rotary positions need an even width", width);
}

void check_model(const Config& config, const StageConfig& stage, RuleList& rules) {
  const StageConfig& first = config.stages.front();
  const auto& model = stage.model;
  if (&stage != &first) {
    constexpr const char* kWhy =
        "a stage starts from the weights of the one before; only the first stage "
        "names a model";
    if (model.path != first.model.path)
      rules.broken("model.path", "{}", kWhy);
    else if (model.init != first.model.init)
      rules.broken("model.init", "{}", kWhy);
    if (model.tokenizer != first.model.tokenizer) rules.broken("model.tokenizer", "{}", kWhy);
    if (model.storage != first.model.storage) rules.broken("model.storage", "{}", kWhy);
    return;
  }
  if (model.path.empty() && !model.init)
    rules.broken("model", "needs model.path, a Hugging Face folder, or model.init, a new decoder");
  if (!model.path.empty() && model.init)
    rules.broken("model.init", "stands beside model.path; keep one of them");
  if (model.init) check_init(*model.init, rules);
  if (model.init && model.path.empty() && model.tokenizer.empty() && stage.data.train.task.empty())
    rules.broken(
        "model.tokenizer",
        "model.init brings no tokenizer, nor does data.train without a task; name a folder with "
        "tokenizer.json");
}

void check_source(const std::string& key, const DataSource& source, RuleList& rules) {
  if (source.path.empty() && source.task.empty())
    rules.broken(key, "needs {0}.path, a JSONL file, or {0}.task, a generator", key);
  if (!source.path.empty() && !source.task.empty())
    rules.broken(key + ".task", "stands beside {}.path; keep one of them", key);
  if (source.task.empty() && !source.path.empty() && source.task_options != TaskOptions{})
    rules.broken(key, "has options of a task, but {}.path is a file; leave them out", key);
  if (source.path.empty() && !source.task.empty() && source.format != DataSource().format)
    rules.broken(key + ".format", "{} is of a file, and {}.task makes rows; leave it out",
                 source.format, key);
  if (source.path == "-")
    rules.broken(key + ".path", "standard input can be read once only; name a file");
}

/// What belongs to prompt_template chat, and what it needs.
void check_chat(const StageConfig& stage, RuleList& rules) {
  const auto& data = stage.data;
  if (data.prompt_template == "chat") {
    if (stage.model.init && stage.model.path.empty() && stage.model.tokenizer.empty())
      rules.broken("data.prompt_template",
                   "chat is the template of a model's folder, and model.init has none; name "
                   "model.tokenizer, a folder that has one");
    for (const char* name : {"messages", "conversation", "chat_template", "tokenize", "date",
                             "continue_final_message"})
      if (data.chat_template_kwargs.contains(name))
        rules.broken("data.chat_template_kwargs", "{} is no variable that can be set here", name);
    return;
  }
  const auto chat_only = [&](const char* key, bool given) {
    if (given)
      rules.broken(key, "is for data.prompt_template chat, not {}; leave it out",
                   text_yaml(data.prompt_template));
  };
  chat_only("data.system_prompt", !data.system_prompt.empty());
  chat_only("data.chat_template", !data.chat_template.empty());
  chat_only("data.chat_template_date", !data.chat_template_date.empty());
  chat_only("data.chat_template_kwargs", !data.chat_template_kwargs.empty());
}

void check_data(const StageConfig& stage, RuleList& rules) {
  const auto& data = stage.data;
  check_source("data.train", data.train, rules);
  for (const auto& name : data.eval_order) {
    const auto& source = data.eval.at(name);
    const std::string key = "data.eval." + name;
    check_source(key, source, rules);
    if (!source.task.empty() && source.count == 0)
      rules.broken(key, "the rows of a task have no end; give it a {}.count, such as 512", key);
  }
  if (data.eval_fraction > 0 && data.train.path.empty())
    rules.broken(
        "data.eval_fraction",
        "takes rows of a file away, and data.train.path is empty; give data.eval the same task");
  else if (data.eval_fraction > 0 && data.eval.contains("held_out"))
    rules.broken("data.eval_fraction",
                 "makes a set held_out, and data.eval.held_out is there already");
  for (const auto& [key, field] : {std::pair{"data.question_field", &data.question_field},
                                   std::pair{"data.answer_field", &data.answer_field},
                                   std::pair{"data.completion_field", &data.completion_field}})
    if (field->empty()) rules.broken(key, "is empty; name a field of the rows");
}

void check_lengths(const Config& config, const StageConfig& stage, RuleList& rules) {
  const auto& rollout = stage.rollout;
  const auto prompt = stage.data.max_prompt_length;
  constexpr std::int64_t kHuge = std::int64_t{1} << 40;  // check_sizes has said what is wrong
  if (prompt > kHuge || rollout.max_completion_length > kHuge) return;
  const auto needed = prompt + rollout.max_completion_length;
  const auto& init = config.stages.front().model.init;
  const bool samples =
      stage.method == "grpo" || (has_eval(stage) && !stage.reward.functions.empty());
  if (samples && init && needed > init->max_position_embeddings)
    rules.broken("rollout.max_completion_length",
                 "{} after data.max_prompt_length {} needs {} positions; "
                 "model.init.max_position_embeddings is {}",
                 rollout.max_completion_length, prompt, needed, init->max_position_embeddings);
  if (stage.method == "grpo" && needed > stage.train.max_tokens_per_micro_batch)
    rules.broken("train.max_tokens_per_micro_batch",
                 "{} does not hold one sequence of {} tokens: data.max_prompt_length {} + "
                 "rollout.max_completion_length {}",
                 stage.train.max_tokens_per_micro_batch, needed, prompt,
                 rollout.max_completion_length);
  for (const auto& text : rollout.stop_strings)
    if (text.empty())
      rules.broken("rollout.stop_strings", "holds an empty text, which ends everything");
}

void check_reward(const StageConfig& stage, RuleList& rules) {
  const auto& functions = stage.reward.functions;
  if (stage.method == "grpo" && functions.empty())
    rules.broken("reward.functions", "grpo needs a reward, such as [{{name: numeric}}]");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    const auto key = fmt::format("reward.functions.{}", i);
    if (functions[i].name.empty())
      rules.broken(key, "has no name; aha score --help lists the rewards");
    // a reward that is used again is called NAME_2, NAME_3, ...
    std::string name = functions[i].name;
    for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n)
      name = fmt::format("{}_{}", functions[i].name, n);
    names.push_back(name);
  }
  if (stage.method == "grpo" && !functions.empty() &&
      std::all_of(functions.begin(), functions.end(), [](const auto& f) { return f.weight == 0; }))
    rules.broken("reward.functions", "every weight is 0: there is nothing to learn");
  const auto& accuracy = stage.reward.accuracy;
  if (accuracy.empty() || std::find(names.begin(), names.end(), accuracy) != names.end()) return;
  const auto near = nearest(accuracy, names);
  rules.broken("reward.accuracy", "'{}' is not among reward.functions ({}){}", accuracy,
               names.empty() ? "there are none" : join_list(names),
               near.empty() ? "" : fmt::format("; the nearest is '{}'", near));
}

void check_train(const StageConfig& stage, RuleList& rules) {
  const auto& train = stage.train;
  if (train.max_steps == 0 && train.num_train_epochs == 0)
    rules.broken("train.max_steps", "is 0, and so is train.num_train_epochs; give one of them");
  if (train.num_train_epochs > 0 && !stage.data.train.task.empty() && stage.data.train.count == 0)
    rules.broken(
        "train.num_train_epochs",
        "the rows of a task have no end, so there are no epochs; use train.max_steps, or give "
        "data.train.count");
  if (stage.method == "sft" && train.per_device_train_batch_size == 0)
    rules.broken("train.per_device_train_batch_size",
                 "sft needs the number of sequences of a step, such as 32");
  const auto& optim = stage.optim;
  const auto steps = optim.lr_scheduler_steps > 0 ? optim.lr_scheduler_steps : train.max_steps;
  if (optim.lr_scheduler_type != "constant" && steps > 0 && optim.warmup_steps > steps)
    rules.broken("optim.warmup_steps", "{} do not fit into the {} steps of the {} schedule ({})",
                 optim.warmup_steps, steps, optim.lr_scheduler_type,
                 optim.lr_scheduler_steps > 0 ? "optim.lr_scheduler_steps" : "train.max_steps");
}

void check_eval(const StageConfig& stage, RuleList& rules) {
  const auto& eval = stage.eval;
  const auto least = eval.final_num_generations > 0
                         ? std::min(eval.num_generations, eval.final_num_generations)
                         : eval.num_generations;
  for (const auto k : eval.pass_at_k)
    if (k > least)
      rules.broken("eval.pass_at_k",
                   "pass@{} needs {} samples of a prompt; eval.num_generations is {}{}", k, k,
                   eval.num_generations,
                   least < eval.num_generations
                       ? fmt::format(", eval.final_num_generations {}", eval.final_num_generations)
                       : "");
  const auto& best = stage.checkpoint.best_metric;
  if (best.empty()) return;
  if (!best.starts_with("eval_"))
    rules.broken("checkpoint.best_metric",
                 "'{}' is no metric of an evaluation, such as eval_accuracy", best);
  else if (!has_eval(stage))
    rules.broken("checkpoint.best_metric", "'{}' needs an evaluation set; give data.eval one",
                 best);
}

void check_log(const Config& config, const StageConfig& stage, RuleList& rules) {
  const auto& text = stage.log.prometheus;
  if (text != config.stages.front().log.prometheus)
    rules.broken("log.prometheus", "is one for the whole job; give it outside of stages");
  else if (!text.empty() && !listen_address(text))
    rules.broken("log.prometheus",
                 "'{}' is no port and no ADDRESS:PORT; 9464 or 0.0.0.0:9464 would be right", text);
}

/// Beyond these no machine goes, and products of them leave 64 bits. Steps have 24 bits of a sample's key.
void check_sizes(const StageConfig& stage, RuleList& rules) {
  constexpr std::int64_t kMany = std::int64_t{1} << 20, kLong = std::int64_t{1} << 24;
  const auto& train = stage.train;
  struct Size {
    const char* key;
    std::int64_t value, most;
  };
  for (const auto& size :
       {Size{"rollout.num_generations", stage.rollout.num_generations, kMany},
        Size{"rollout.max_completion_length", stage.rollout.max_completion_length, kLong},
        Size{"rollout.max_batch_size", stage.rollout.max_batch_size, kLong},
        Size{"data.max_prompt_length", stage.data.max_prompt_length, kLong},
        Size{"train.prompts_per_step", train.prompts_per_step, kMany},
        Size{"train.per_device_train_batch_size", train.per_device_train_batch_size, kLong},
        Size{"train.max_tokens_per_micro_batch", train.max_tokens_per_micro_batch, kLong << 8},
        Size{"train.bucket_batches", train.bucket_batches, kMany},
        Size{"train.max_steps", train.max_steps, kMaxSteps},
        Size{"eval.num_generations", stage.eval.num_generations, kMany},
        Size{"eval.final_num_generations", stage.eval.final_num_generations, kMany},
        Size{"objective.max_resample_batches", stage.objective.max_resample_batches, kMany},
        Size{"objective.num_iterations", stage.objective.num_iterations, kMany},
        Size{"objective.minibatches", stage.objective.minibatches, kMany},
        Size{"train.threads", train.threads, 4096},
        Size{"reward.threads", stage.reward.threads, 4096}})
    if (size.value > size.most)
      rules.broken(size.key, "{} is more than the {} that can be", size.value, size.most);
}

void check_job(const Config& config, RuleList& rules) {
  if (config.output_dir.empty())
    rules.broken("output_dir", "is missing; name the folder of the run, such as runs/first");
  for (const auto& stage : config.stages)
    if (config.device == "cuda" && stage.model.storage == "fp16") {
      rules.broken(
          "model.storage",
          "gradients of device cuda would be rounded to fp16 and vanish; bf16 would be right");
      break;
    }
}

}  // namespace

bool has_eval(const StageConfig& stage) {
  return !stage.data.eval_order.empty() || stage.data.eval_fraction > 0;
}

std::vector<BrokenRule> broken_rules(const Config& config) {
  std::vector<BrokenRule> broken;
  RuleList job(broken, "");
  check_job(config, job);
  for (const auto& stage : config.stages) {
    RuleList rules(broken, stage.name);
    check_model(config, stage, rules);
    check_sizes(stage, rules);
    check_data(stage, rules);
    check_chat(stage, rules);
    check_lengths(config, stage, rules);
    check_reward(stage, rules);
    check_train(stage, rules);
    check_eval(stage, rules);
    check_log(config, stage, rules);
    if (stage.method == "grpo") check_objective(stage, rules);
  }
  return broken;
}

std::string batch_equation(const StageConfig& stage) {
  const auto& train = stage.train;
  if (stage.method == "sft")
    return fmt::format("{} sequences a step, 1 update",
                       with_commas(train.per_device_train_batch_size));
  const auto& o = stage.objective;
  const auto completions = train.prompts_per_step * stage.rollout.num_generations;
  const auto updates = o.num_iterations * o.minibatches;
  std::string text = fmt::format(
      "{} prompts x {} generations = {} completions a step, {} update{} of {}{}",
      with_commas(train.prompts_per_step), stage.rollout.num_generations, with_commas(completions),
      updates, updates == 1 ? "" : "s", completions % o.minibatches == 0 ? "" : "about ",
      with_commas(completions / o.minibatches));
  if (train.per_device_train_batch_size > 0) {
    const auto micro = train.per_device_train_batch_size;
    const auto update = completions / o.minibatches;
    text += fmt::format(" in at least {} micro-batches", with_commas((update + micro - 1) / micro));
  }
  return text + fmt::format(", micro-batches of at most {} tokens",
                            with_commas(train.max_tokens_per_micro_batch));
}

}  // namespace aha
