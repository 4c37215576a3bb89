#include <fmt/format.h>

#include <cmath>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

/// One trained job for all cases of this file.
struct Shared {
  Shared() : run(folder / "run"), config(folder / "job.yaml") {
    spill(config, small_job(run));
    const auto end = run_aha({"train", config.string()});
    INFO(end.err);
    REQUIRE(end.code == 0);
    err = end.err;
    model = fs::canonical(run / "latest").string();
  }
  TempFolder folder;
  fs::path run, config;
  std::string model, err;
};

const Shared& shared() {
  static const Shared made;
  return made;
}

const std::string kPrompt = R"({"question": "0 1 0 1 0 1 1 1 |", "id": 7})";

}  // namespace

TEST_CASE("help: every command explains itself, and a wrong call exits 2") {
  const auto help = run_aha({"--help"});
  CHECK(help.code == 0);
  for (const char* command : {"train", "check", "eval", "generate", "score", "logprobs", "tokenize",
                              "data", "inspect", "config", "report", "import-gguf"}) {
    CHECK_THAT(help.out, contains(command));
    const auto own = run_aha({command, "--help"});
    CHECK(own.code == 0);
    CHECK(own.out.size() > 100);
  }
  CHECK(run_aha({}).code == 2);
  CHECK(run_aha({"train"}).code == 2);
  CHECK(run_aha({"fly"}).code == 2);
}

TEST_CASE("train: says the plan before the first step and writes what it names") {
  const auto& s = shared();
  for (const char* part : {"model", "parameters", "memory", "prompt", "ideal", "optimizer"})
    CHECK_THAT(s.err, contains(part));
  for (const char* file : {"config.resolved.yaml", "metrics.jsonl", "completions/train.jsonl",
                           "completions/eval.jsonl", "tensorboard", "log.txt", "latest/config.json",
                           "latest/model.safetensors", "latest/tokenizer.json",
                           "latest/trainer_state.json", "latest/optimizer/state.safetensors"})
    CHECK(fs::exists(s.run / file));
  CHECK(fs::read_symlink(s.run / "latest").is_relative());
  const auto rows = metrics_without_times(s.run);
  const auto first = aha::Json::parse(rows.front());
  CHECK(first.at("step") == 0);
  CHECK(first.contains("eval_accuracy"));
  const auto state = slurp(s.run / "latest" / "trainer_state.json");
  CHECK(state.find(s.folder.path().string()) == std::string::npos);
}

TEST_CASE("check: says the plan without writing anything") {
  TempFolder folder;
  spill(folder / "job.yaml", small_job(folder / "run"));
  const auto end = run_aha({"check", (folder / "job.yaml").string()});
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK_THAT(end.out, contains("memory") && contains("ideal") && contains("gets reward 1"));
  CHECK_FALSE(fs::exists(folder / "run"));
  const auto samples = run_aha({"check", (folder / "job.yaml").string(), "--samples", "2"});
  CHECK(samples.code == 2);  // the first stage is sft: its end is where grpo starts
  CHECK_THAT(samples.err, contains("--samples"));
  const auto ranks = run_aha({"check", (folder / "job.yaml").string(), "--nproc", "2"});
  CHECK(ranks.code == 0);
  CHECK_THAT(ranks.out, contains("2 of 2 ranks here") && contains("each fetches at most"));
}

TEST_CASE("check: plans for a machine that is not this one, and knows which those are") {
  TempFolder folder;
  spill(folder / "job.yaml", small_job(folder / "run"));
  const auto check = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"check", (folder / "job.yaml").string()});
    return run_aha(more);
  };
  const auto plan = check({"--gpu", "h100", "--nodes", "2", "--gpus-per-node", "4"});
  INFO(plan.err);
  CHECK(plan.code == 0);
  CHECK_THAT(plan.out, contains("8 ranks on NVIDIA H100") && contains("2 machines of 4") &&
                           contains("has run on one H100, never") && contains("ZeRO-1"));
  CHECK_FALSE(fs::exists(folder / "run"));
  const auto unknown = check({"--gpu", "tpu"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, contains("'tpu'") && contains("h100"));
  const auto twice = check({"--gpu", "h100", "--nproc", "3", "--nodes", "2"});
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, contains("--nproc 3"));
}

TEST_CASE("generate: rows keep their fields and order, and the same seed gives the same bytes") {
  const auto& s = shared();
  const std::vector<std::string> command = {
      "generate", "--model", s.model, "-n", "3", "--max-completion-length", "11", "--logprobs"};
  const auto input = kPrompt + "\n" + R"({"question": "1 1 1 1 0 0 0 0 |", "id": 8})" + "\n";
  const auto end = run_aha(command, input);
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto rows = rows_of(end.out);
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(rows[i].at("id") == (i < 3 ? 7 : 8));
    CHECK(rows[i].at("index") == i % 3);
    CHECK(rows[i].at("logprobs").size() == rows[i].at("completion_ids").size());
  }
  CHECK(run_aha(command, input).out == end.out);
  auto one_thread = command;
  one_thread.insert(one_thread.end(), {"--threads", "1", "--max-batch-size", "2"});
  CHECK(run_aha(one_thread, input).out == end.out);
  auto forced = command;
  forced.insert(forced.end(), {"--ignore-eos", "--timing"});
  const auto full = run_aha(forced, input);
  INFO(full.err);
  for (const auto& row : rows_of(full.out))
    CHECK(row.at("completion_ids").size() == 11);
  const auto timing = rows_of(full.err).at(0);
  CHECK(timing.at("completion_tokens") == 6 * 11);
  CHECK(timing.at("prefill_s") > 0);
  CHECK(timing.at("decode_s") > 0);
  auto free_length = command;
  free_length.erase(free_length.begin() + 5, free_length.begin() + 7);
  const auto longer =
      run_aha(free_length, input);  // 512 tokens are more than the model's positions
  INFO(longer.err);
  REQUIRE(longer.code == 0);
  for (const auto& row : rows_of(longer.out))
    CHECK(row.at("completion_ids").size() <= 32 - 9);
  const auto unknown_word = run_aha(command, R"({"question": "0 zero |"})"
                                             "\n");
  CHECK(unknown_word.code == 2);
  CHECK_THAT(unknown_word.err, contains("standard input:1") && contains("zero"));
  const auto bad = run_aha(command, "{\"text\": 1}\n");
  CHECK(bad.code == 2);
  CHECK_THAT(bad.err, contains("standard input:1"));
}

TEST_CASE("logprobs: those of generated ids are the ones noted while sampling") {
  const auto& s = shared();
  const auto generated =
      run_aha({"generate", "--model", s.model, "--max-completion-length", "11", "--logprobs"},
              kPrompt + "\n");
  REQUIRE(generated.code == 0);
  const auto row = rows_of(generated.out).front();
  const auto tokenized =
      run_aha({"tokenize", "--model", s.model}, R"({"text": "0 1 0 1 0 1 1 1 |"})"
                                                "\n");
  REQUIRE(tokenized.code == 0);
  aha::Json ids = rows_of(tokenized.out).front().at("ids");
  const auto prompt = ids.size();
  for (const auto& id : row.at("completion_ids"))
    ids.push_back(id);
  const auto end = run_aha({"logprobs", "--model", s.model}, aha::Json{{"ids", ids}}.dump() + "\n");
  INFO(end.err);
  REQUIRE(end.code == 0);
  const auto logprobs = rows_of(end.out).front().at("logprobs");
  REQUIRE(logprobs.size() == ids.size() - 1);
  for (std::size_t t = 0; t < row.at("logprobs").size(); ++t)
    CHECK(logprobs.at(prompt - 1 + t) == row.at("logprobs").at(t));
  const auto bad = run_aha({"logprobs", "--model", s.model}, R"({"ids": [1, 99999]})"
                                                             "\n");
  CHECK(bad.code == 2);
  CHECK_THAT(bad.err, contains("99999"));
}

TEST_CASE("tokenize: ids and back") {
  const auto& s = shared();
  const auto ids = run_aha({"tokenize", "--model", s.model}, R"({"text": "0 1 | = 1", "k": true})"
                                                             "\n");
  REQUIRE(ids.code == 0);
  CHECK(rows_of(ids.out).front().at("k") == true);
  const auto text = run_aha({"tokenize", "--model", s.model, "--decode"}, ids.out);
  REQUIRE(text.code == 0);
  CHECK(rows_of(text.out).front().at("text") == "0 1 | = 1");
}

TEST_CASE("eval: measures a folder on a task, on a file and by a job's file") {
  const auto& s = shared();
  const auto by_job = run_aha({"eval", "--model", s.model, "--config", s.config.string(), "-n", "4",
                               "--pass-at-k", "1,4", "--greedy"});
  INFO(by_job.err);
  REQUIRE(by_job.code == 0);
  const auto row = rows_of(by_job.out).front();
  CHECK(row.at("prompts") == 16);
  CHECK(row.at("pass@1").get<double>() == Approx(row.at("accuracy").get<double>()));
  CHECK(row.at("pass@4").get<double>() >= row.at("pass@1").get<double>());
  CHECK(row.contains("greedy_accuracy"));
  spill(s.folder / "rows.jsonl", R"({"question": "0 1 0 1 0 1 1 1 |", "answer": 1})"
                                 "\n");
  const auto by_file = run_aha({"eval", "--model", s.model, (s.folder / "rows.jsonl").string(),
                                "--reward", "parity", "--max-completion-length", "11"});
  INFO(by_file.err);
  REQUIRE(by_file.code == 0);
  CHECK(rows_of(by_file.out).front().at("prompts") == 1);
  CHECK(run_aha({"eval", "--model", s.model}).code == 2);
  const auto twice =
      run_aha({"eval", "--model", s.model, "--config", s.config.string(), "--task", "parity"});
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, contains("--config") && contains("--task"));
  const auto by_task = run_aha({"eval", "--model", s.model, "--task", "parity", "--count", "3"});
  INFO(by_task.err);
  REQUIRE(by_task.code == 0);  // judged by the task's own reward, as long as the positions allow
  CHECK(rows_of(by_task.out).front().contains("rewards/parity/mean"));
}

TEST_CASE("eval: a table has a line a set, with what samples allow") {
  const auto& s = shared();
  const auto end = run_aha({"eval", "--model", s.model, "--task", "parity", "--count", "5", "-n",
                            "3", "--table", "--out", (s.folder / "eval.jsonl").string()});
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK_THAT(end.out, contains("set     prompts  samples  ") &&
                          contains("accuracy  pass@3  maj@3") &&
                          contains("length  truncated\nparity        5        3  ") &&
                          contains(" +- ") && contains("95 % interval"));
  const auto rows = rows_of(slurp(s.folder / "eval.jsonl"));
  REQUIRE(rows.size() == 15);
  CHECK(rows[14].at("row") == 4);
  CHECK(rows[14].contains("accuracy"));
}

TEST_CASE("generate: an interactive answer is streamed, and a conversation has a history") {
  const auto& s = shared();
  const std::string prompt = "0 1 0 1 0 1 1 1 |";
  const std::vector<std::string> options = {"--max-completion-length", "5"};
  const auto with = [&](const std::vector<std::string>& more, const std::string& input) {
    std::vector<std::string> command = {"generate"};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), more.begin(), more.end());
    auto end = run_aha(command, input);
    INFO(end.err);
    CHECK(end.code == 0);
    return end;
  };
  const auto batch = with({"--model", s.model}, R"({"question": ")" + prompt + "\"}\n");
  CHECK(with({"-i", "--model", s.model}, prompt + "\n").out ==
        rows_of(batch.out).front().at("completion").get<std::string>() + "\n");
  const auto wrong = with({"-i", "--model", s.model}, "zero\n" + prompt + "\n");
  CHECK_THAT(wrong.err, contains("zero"));
  CHECK(std::count(wrong.out.begin(), wrong.out.end(), '\n') == 1);
  const fs::path chat = s.folder / "chat";
  fs::copy(s.model, chat, fs::copy_options::recursive);
  spill(
      chat / "chat_template.jinja",
      "{% if messages|length > 2 %}{{ raise_exception('a second turn of ' ~ messages[0].content) }}"
      "{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}");
  const auto talk = with({"-i", "--prompt-template", "chat", "--model", chat.string()},
                         prompt + "\n0 1\n\n" + prompt + "\n");
  CHECK_THAT(talk.err, contains("a second turn of 0 1 0 1"));
  CHECK(std::count(talk.out.begin(), talk.out.end(), '\n') == 2);
}

TEST_CASE("results: a full disk under standard output is an error, not a success") {
  const auto& s = shared();
  const std::string aha = std::string(AHA_BINARY_DIR) + "/aha";
  const std::string said = (s.folder / "said").string();
  for (const auto& words :
       {fmt::format("{} config", aha), fmt::format("{} check {}", aha, s.config.string()),
        fmt::format("echo '{}' | {} generate --model {}", kPrompt, aha, s.model)}) {
    const std::string command = fmt::format("{} > /dev/full 2> {}", words, said);
    INFO(command);
    const int status = std::system(command.c_str());
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 2));
    CHECK_THAT(slurp(s.folder / "said"), contains("standard output"));
  }
}

TEST_CASE(
    "generate, eval: options of several values take one each time, and leave the file alone") {
  TempFolder folder;
  const auto& s = shared();
  spill(folder / "prompts.jsonl", kPrompt + "\n");
  const auto generated = run_aha({"generate", "--model", s.model, "--max-completion-length", "2",
                                  "--stop", "x", (folder / "prompts.jsonl").string()});
  INFO(generated.err);
  CHECK(generated.code == 0);
  spill(folder / "problems.jsonl", R"({"question": "0 1 0 1 0 1 1 1 |", "answer": 1})"
                                   "\n");
  const auto evaluated = run_aha({"eval", "--model", s.model, "--reward", "parity", "-n", "2",
                                  "--max-completion-length", "11", "--pass-at-k", "2",
                                  (folder / "problems.jsonl").string()});
  INFO(evaluated.err);
  CHECK(evaluated.code == 0);
  CHECK(rows_of(evaluated.out).at(0).contains("pass@2"));
}

TEST_CASE("eval: a published format brings its reward") {
  TempFolder folder;
  spill(folder / "problems.jsonl", R"({"problem": "0 1 |", "answer": "\\frac12"})"
                                   "\n");
  const auto end = run_aha({"eval", "--model", shared().model, "--format", "math",
                            "--max-completion-length", "2", (folder / "problems.jsonl").string()});
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK(rows_of(end.out).at(0).contains("rewards/math/mean"));
  const auto none = run_aha({"eval", "--model", shared().model, "--format", "jsonl",
                             (folder / "problems.jsonl").string()});
  CHECK(none.code == 2);
  CHECK_THAT(none.err, contains("--reward"));
  const auto inspected = run_aha({"inspect", "data/samples/math500_test.jsonl"});
  CHECK_THAT(inspected.out, contains("golds      50 of 50 can be judged by math\n"));
}

TEST_CASE("data: the same seed gives the same rows, and the splits share none") {
  const std::vector<std::string> command = {"data", "countdown", "--count", "50", "--seed", "1"};
  const auto train = run_aha(command);
  REQUIRE(train.code == 0);
  CHECK(run_aha(command).out == train.out);
  CHECK(rows_of(train.out).size() == 50);
  auto held_out = command;
  held_out.insert(held_out.end(), {"--split", "held_out"});
  CHECK(run_aha(held_out).out != train.out);
}

TEST_CASE("config: explains keys and resolves files") {
  const auto sections = run_aha({"config"});
  CHECK(sections.code == 0);
  CHECK_THAT(sections.out, contains("objective") && contains("rollout"));
  CHECK_THAT(run_aha({"config", "rollout.top_p"}).out, contains("top_p"));
  const auto unknown = run_aha({"config", "rollout.topp"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, contains("top_p"));
  const auto& s = shared();
  const auto resolved = run_aha({"config", "--file", s.config.string()});
  CHECK(resolved.out == slurp(s.run / "config.resolved.yaml"));
}

TEST_CASE("report: shows before and after from a run's folder") {
  const auto& s = shared();
  const auto end = run_aha({"report", s.run.string()});
  INFO(end.err);
  CHECK(end.code == 0);
  CHECK_THAT(end.out,
             contains("accuracy") && contains("aha generate --model") && contains("aha eval"));
  CHECK(run_aha({"report", s.folder.path().string()}).code == 2);
}
