#include <cstring>
#include <limits>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"
#include "trainer/core/json.h"
#include "trainer/core/philox.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

struct Case {
  const char* what;
  std::vector<std::string> settings;  ///< --set
  std::vector<std::string> said;      ///< parts of the message
};

/// `aha train` refuses, says these parts on its lines, and writes nothing.
void require_refused(const fs::path& config, const fs::path& run, const Case& c) {
  INFO(c.what);
  std::vector<std::string> arguments = {"train", config.string()};
  for (const auto& setting : c.settings)
    arguments.insert(arguments.end(), {"--set", setting});
  const auto end = run_aha(arguments);
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_FALSE(fs::exists(run));
  for (const auto& part : c.said)
    CHECK_THAT(end.err, contains(part));
}

/// A small model folder as a job would save it.
fs::path trained_folder(const TempFolder& folder) {
  const auto run = folder / "teacher";
  spill(folder / "teacher.yaml", small_job(run));
  const auto end = run_aha({"train", (folder / "teacher.yaml").string()});
  INFO(end.err);
  REQUIRE(end.code == 0);
  return fs::canonical(run / "latest");
}

std::string file_job(const fs::path& run, const fs::path& data, const fs::path& model) {
  return "output_dir: " + run.string() + "\nmodel: {path: " + model.string() +
         "}\ndata:\n  train: {path: " + data.string() +
         "}\n  question_field: prompt\n  max_prompt_length: 9\n" +
         R"(rollout: {num_generations: 4, max_completion_length: 11}
reward:
  functions: [{name: parity}]
train: {max_steps: 1, prompts_per_step: 1}
)";
}

/// Every element of the head becomes `value`.
void fill_head(const fs::path& file, float value) {
  auto bytes = slurp(file);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  const auto json = aha::Json::parse(bytes.substr(8, header));
  const auto& range = json.at("lm_head.weight").at("data_offsets");
  for (auto at = range[0].get<std::size_t>(); at < range[1].get<std::size_t>(); at += 4)
    std::memcpy(&bytes[8 + header + at], &value, sizeof value);
  spill(file, bytes);
  fs::remove(file.parent_path() / "checksums.json");  // which would be what is wrong
}

}  // namespace

TEST_CASE("bad input: values that contradict each other stop the program before any work") {
  TempFolder folder;
  const auto run = folder / "run";
  spill(folder / "job.yaml", small_job(run));
  const std::vector<Case> cases = {
      {"a group of one", {"rollout.num_generations=1"}, {"num_generations"}},
      {"too long for the model",
       {"rollout.max_completion_length=500"},
       {"max_completion_length", "32"}},
      {"top_p of 0", {"rollout.top_p=0"}, {"top_p", "0"}},
      {"top_p above 1", {"rollout.top_p=1.5"}, {"top_p", "1"}},
      {"a micro-batch below one sequence",
       {"train.max_tokens_per_micro_batch=8"},
       {"max_tokens_per_micro_batch", "8"}},
      {"an unknown key", {"rollout.num_generation=8"}, {"num_generations"}},
      {"an ill-typed value", {"rollout.num_generations=many"}, {"num_generations", "many"}},
      {"an unknown reward",
       {"reward.functions=[{name: parrity}]"},
       {"reward.functions", "parrity", "parity"}},
      {"a stop that never comes",
       {"rollout.stop_token_ids=[6]"},
       {"stop_token_ids", "6", "0 to 5"}},
      {"more epochs than steps can be counted",
       {"data.train.count=9", "stages.grpo.train.max_steps=0", "train.num_train_epochs=1e300"},
       {"num_train_epochs", "16777215"}},
      {"an unknown task", {"data.train.task=parities"}, {"parities"}},
  };
  for (const auto& c : cases)
    require_refused(folder / "job.yaml", run, c);
}

TEST_CASE("bad input: independent mistakes are reported together, each with its place") {
  TempFolder folder;
  spill(folder / "job.yaml",
        "output_dir: x\nseed: 1\nseed: 2\nmodel: {init: {}}\nrolout: {}\n"
        "train: {max_steps: -1, prompts_per_step: two}\n");
  const auto end = run_aha({"train", (folder / "job.yaml").string()});
  INFO(end.err);
  CHECK(end.code == 2);
  const auto at = (folder / "job.yaml").string();
  for (const auto& part : {at + ":3:1:", at + ":5:1:", at + ":6:"})
    CHECK_THAT(end.err, contains(part));
  CHECK_THAT(end.err, contains("rollout") && contains("two"));
}

TEST_CASE("bad input: datasets are checked line by line before anything is written") {
  TempFolder folder;
  const auto model = trained_folder(folder);
  const auto run = folder / "run";
  const auto data = folder / "rows.jsonl";
  spill(folder / "job.yaml", file_job(run, data, model));
  const std::string good = R"({"prompt": "0 1 0 1 0 1 1 1 |", "answer": 1})"
                           "\n";
  require_refused(folder / "job.yaml", run, {"no file", {}, {"rows.jsonl"}});
  spill(data, "");
  require_refused(folder / "job.yaml", run, {"an empty file", {}, {"rows.jsonl"}});
  spill(data, good + "{\"prompt\": \"0 1\n");
  require_refused(folder / "job.yaml", run, {"a malformed line", {}, {"rows.jsonl:2"}});
  spill(data, good + "\n" +
                  R"({"answer": 1})"
                  "\n");
  require_refused(folder / "job.yaml", run, {"a missing field", {}, {"rows.jsonl:3", "prompt"}});
  spill(data, good + R"({"prompt": "0 1 |", "answer": "maybe"})"
                     "\n");
  require_refused(folder / "job.yaml", run,
                  {"a gold that cannot be judged", {}, {"rows.jsonl:2", "parity"}});
  spill(data, good + R"({"prompt": "0 1 0 1 0 1 1 1 1 1 1 1 1 |", "answer": 1})"
                     "\n");
  require_refused(folder / "job.yaml", run,
                  {"a long prompt", {}, {"rows.jsonl:2", "max_prompt_length"}});
  spill(data, good);
  const auto end = run_aha({"train", (folder / "job.yaml").string()});
  INFO(end.err);
  CHECK(end.code == 0);
}

TEST_CASE("bad input: model folders with missing, cut or misshapen parts are refused by name") {
  TempFolder folder;
  const auto model = trained_folder(folder);
  const auto run = folder / "run";
  const auto data = folder / "rows.jsonl";
  spill(data, R"({"prompt": "0 1 0 1 0 1 1 1 |", "answer": 1})"
              "\n");
  const auto broken = folder / "broken";
  spill(folder / "job.yaml", file_job(run, data, broken));
  const auto fresh = [&] {
    fs::remove_all(broken);
    fs::copy(model, broken, fs::copy_options::recursive);
  };
  require_refused(folder / "job.yaml", run, {"no folder", {}, {"broken"}});
  fresh();
  const auto weights = slurp(broken / "model.safetensors");
  spill(broken / "model.safetensors", weights.substr(0, weights.size() - 100));
  require_refused(folder / "job.yaml", run, {"cut weights", {}, {"model.safetensors"}});
  spill(broken / "model.safetensors", weights.substr(0, 5));
  require_refused(folder / "job.yaml", run, {"no header", {}, {"model.safetensors"}});
  fresh();
  auto config = aha::OrderedJson::parse(slurp(broken / "config.json"));
  config["intermediate_size"] = 40;
  spill(broken / "config.json", config.dump());
  require_refused(folder / "job.yaml", run, {"another shape", {}, {"mlp", "48"}});
  config["intermediate_size"] = 48;
  config["num_hidden_layers"] = 3;
  spill(broken / "config.json", config.dump());
  require_refused(folder / "job.yaml", run, {"a layer too many", {}, {"model.layers.2"}});
  fresh();
  config = aha::OrderedJson::parse(slurp(broken / "config.json"));
  config["vocab_size"] = 4;
  spill(broken / "config.json", config.dump());
  require_refused(folder / "job.yaml", run,
                  {"ids beyond the vocabulary", {}, {"eos_token_id", "[0, 4)"}});
  fresh();
  auto tokenizer = aha::OrderedJson::parse(slurp(broken / "tokenizer.json"));
  tokenizer["model"]["vocab"]["more"] = 6;
  spill(broken / "tokenizer.json", tokenizer.dump());
  require_refused(folder / "job.yaml", run,
                  {"a tokenizer with more ids", {}, {"7", "6", "broken"}});
  fresh();
  fs::remove(broken / "tokenizer.json");
  require_refused(folder / "job.yaml", run, {"no tokenizer", {}, {"tokenizer.json"}});
}

TEST_CASE("bad input: an output folder with another run in it is left as it is") {
  TempFolder folder;
  const auto run = folder / "run";
  spill(folder / "job.yaml", small_job(run));
  REQUIRE(run_aha({"train", (folder / "job.yaml").string()}).code == 0);
  const auto before = files_below(run);
  const auto end = run_aha({"train", (folder / "job.yaml").string()});
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("--resume auto"));
  CHECK((files_below(run) == before));
  spill(folder / "other" / "thesis.txt", "precious");
  const auto foreign = run_aha({"train", (folder / "job.yaml").string(), "--resume", "auto",
                                "--set", "output_dir=" + (folder / "other").string()});
  CHECK(foreign.code == 2);
  CHECK(slurp(folder / "other" / "thesis.txt") == "precious");
  CHECK(files_below(folder / "other").size() == 1);
}

TEST_CASE(
    "bad input: a loss that is not finite refuses the step, saves the state before and names "
    "prompts") {
  TempFolder folder;
  const auto run = folder / "run";
  spill(folder / "job.yaml", small_job(run));
  const auto end =
      run_aha({"train", (folder / "job.yaml").string(), "--set",
               "stages.warm_start.optim.learning_rate=1e30", "--set",
               "stages.warm_start.optim.warmup_steps=0", "--set", "checkpoint.save_steps=0"});
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("not finite") && contains("parity"));
  const auto latest = fs::canonical(run / "latest");
  CHECK(aha::Json::parse(slurp(latest / "trainer_state.json")).at("step").get<int>() >= 1);
  CHECK(fs::exists(latest / "optimizer" / "state.safetensors"));
}

TEST_CASE(
    "bad input: a weight beyond what fp16 holds refuses the step and saves the state before") {
  TempFolder folder;
  const auto run = folder / "run";
  spill(folder / "job.yaml", small_job(run));
  // Adam's first step is the learning rate; decay is off: the second update passes 65504
  const auto end =
      run_aha({"train", (folder / "job.yaml").string(), "--set", "model.storage=fp16", "--set",
               "stages.warm_start.optim.learning_rate=4e4", "--set",
               "stages.warm_start.optim.warmup_steps=0", "--set", "checkpoint.save_steps=0"});
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("fp16") && contains("last good state is saved"));
  const auto latest = fs::canonical(run / "latest");
  CHECK(aha::Json::parse(slurp(latest / "trainer_state.json")).at("step").get<int>() == 1);
  CHECK(fs::exists(latest / "optimizer" / "state.safetensors"));
}

TEST_CASE("bad input: a best metric that no evaluation gives stops the job before its first step") {
  TempFolder folder;
  spill(folder / "job.yaml", small_job(folder / "run"));
  const auto end = run_aha(
      {"train", (folder / "job.yaml").string(), "--set", "checkpoint.best_metric=eval_luck"});
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("eval_luck") && !contains("1/4"));
}

TEST_CASE("bad input: written completions are checked line by line before anything is written") {
  TempFolder folder;
  const auto model = trained_folder(folder);
  const auto run = folder / "run";
  const auto data = folder / "rows.jsonl";
  spill(folder / "job.yaml",
        file_job(run, data, model) +
            "stages: [{name: sft, method: sft, train: {per_device_train_batch_size: 1}}]\n");
  const std::string good = R"({"prompt": "0 1 |", "completion": "0 1 = 1"})"
                           "\n";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"prompt": "0 1 |", "completion": "0 one = 1"})", "'one'"},
      {R"({"prompt": "0 1 |", "completion": 1})", "completion"},
      {R"({"prompt": "0 1 |"})", "completion"}};
  for (const auto& [row, said] : bad) {
    spill(data, good + row + "\n");
    require_refused(folder / "job.yaml", run, {row.c_str(), {}, {"rows.jsonl:2", said}});
  }
  spill(data, good);
  const auto end = run_aha({"train", (folder / "job.yaml").string()});
  INFO(end.err);
  CHECK(end.code == 0);
}

TEST_CASE("bad input: weights with NaN are refused by name, those that overflow by prompt") {
  TempFolder folder;
  const auto model = trained_folder(folder);
  spill(folder / "rows.jsonl", R"({"prompt": "0 1 0 1 0 1 1 1 |", "answer": 1})"
                               "\n");
  spill(folder / "job.yaml", file_job(folder / "run", folder / "rows.jsonl", model));
  const auto rows = (folder / "rows.jsonl").string();
  const std::vector<std::vector<std::string>> commands = {
      {"train", (folder / "job.yaml").string()},
      {"generate", "--model", model.string(), "--field", "prompt", rows},
      {"eval", "--model", model.string(), "--field", "prompt", "--reward", "parity", rows}};
  const auto check_refused = [&](const std::vector<std::string>& said) {
    for (const auto& command : commands) {
      INFO(command.front());
      const auto end = run_aha(command);
      INFO(end.err);
      CHECK(end.code == 2);
      for (const auto& part : said)
        CHECK_THAT(end.err, contains(part));
    }
  };
  fill_head(model / "model.safetensors", 3e38F);
  check_refused({"not finite", "0 1 0 1 0 1 1 1 |"});
  const auto logprobs = run_aha({"logprobs", "--model", model.string()}, R"({"ids": [0, 1, 2]})"
                                                                         "\n");
  CHECK(logprobs.code == 2);
  CHECK_THAT(logprobs.err, contains("standard input:1") && contains("not finite"));

  fill_head(model / "model.safetensors", std::numeric_limits<float>::quiet_NaN());
  check_refused({"model.safetensors: tensor \"lm_head.weight\" holds nan at element 0"});
}

TEST_CASE("bad input: a full disk is said, and what was saved before stays whole") {
  TempFolder folder;
  const auto run = folder / "run";
  spill(folder / "job.yaml", small_job(run, ""));
  Program::Options options;
  options.largest_file = 30000;  // the journals fit, a checkpoint's tensors do not
  const auto end = Program({"train", (folder / "job.yaml").string()}, options).wait();
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("safetensors"));
  if (fs::exists(run / "checkpoints")) {
    for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
      CHECK_FALSE(fs::exists(entry.path() / "trainer_state.json"));
  }
}

TEST_CASE("bad input: a place that cannot be written is said at once") {
  TempFolder folder;
  spill(folder / "file", "");
  spill(folder / "job.yaml", small_job(folder / "file" / "run"));
  const auto end = run_aha({"train", (folder / "job.yaml").string()});
  INFO(end.err);
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("file"));
}
