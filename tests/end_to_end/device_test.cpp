// Whole commands with device: cuda, on a library that only pretends to be a GPU's.
#include <cmath>

#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

Ended with_library(std::vector<std::string> arguments, const std::string& library,
                   const std::string& input = "") {
  Program::Options options;
  options.input = input;
  options.environment = {{"AHA_CUDA_LIBRARY", library}};
  return Program(std::move(arguments), std::move(options)).wait();
}

Ended on_device(std::vector<std::string> arguments, const std::string& input = "") {
  return with_library(std::move(arguments), AHA_CUDA_PRETENDED, input);
}

struct Shared {
  Shared() : run(folder / "run"), config(folder / "job.yaml") {
    spill(config, small_job(run));
    const auto end = on_device({"train", config.string(), "--set", "device=cuda", "--set",
                                "stages.warm_start.train.max_steps=2", "--set",
                                "stages.grpo.train.max_steps=1"});
    INFO(end.err);
    REQUIRE(end.code == 0);
    model = fs::canonical(run / "latest").string();
  }
  TempFolder folder;
  fs::path run, config;
  std::string model;
};

const Shared& shared() {
  static const Shared made;
  return made;
}

const std::string kPrompts = R"({"question": "0 1 0 1 0 1 1 1 |"}
{"question": "1 1 |"}
)";

}  // namespace

TEST_CASE("device: a job trained on it is generated from as on the CPU") {
  const std::vector<std::string> arguments{
      "generate", "--model",    shared().model, "--max-completion-length",
      "11",       "--logprobs", "-n",           "2"};
  auto asked = arguments;
  asked.insert(asked.end(), {"--device", "cuda"});
  const auto cpu = rows_of(run_aha(arguments, kPrompts).out);
  const auto end = on_device(asked, kPrompts);
  INFO(end.err);
  const auto other = rows_of(end.out);
  REQUIRE(cpu.size() == 4);
  REQUIRE(other.size() == 4);
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    CHECK(other[i].at("completion_ids") == cpu[i].at("completion_ids"));
    for (std::size_t t = 0; t < cpu[i].at("logprobs").size(); ++t)
      CHECK(std::abs(other[i].at("logprobs").at(t).get<double>() -
                     cpu[i].at("logprobs").at(t).get<double>()) < 1e-4);
  }
}

TEST_CASE("device: log-probabilities and an evaluation are the CPU's") {
  const std::string ids = R"({"ids": [1, 3, 2, 3, 1]})"
                          "\n";
  const auto logprobs = [&](const Ended& end) {
    INFO(end.err);
    REQUIRE(end.code == 0);
    return rows_of(end.out).front().at("logprobs").get<std::vector<double>>();
  };
  const auto cpu = logprobs(run_aha({"logprobs", "--model", shared().model}, ids));
  const auto other =
      logprobs(on_device({"logprobs", "--model", shared().model, "--device", "cuda"}, ids));
  REQUIRE(other.size() == cpu.size());
  for (std::size_t i = 0; i < cpu.size(); ++i)
    CHECK(std::abs(other[i] - cpu[i]) < 1e-4);

  const std::vector<std::string> eval{"eval",    "--model", shared().model, "--task", "parity",
                                      "--count", "3"};
  auto asked = eval;
  asked.insert(asked.end(), {"--device", "cuda"});
  const auto measured = on_device(asked);
  INFO(measured.err);
  REQUIRE(measured.code == 0);
  CHECK(rows_of(measured.out).front().at("accuracy") ==
        rows_of(run_aha(eval).out).front().at("accuracy"));
}

TEST_CASE("device: a job that its memory does not hold is refused before anything is written") {
  const TempFolder folder;
  spill(folder / "job.yaml", small_job(folder / "run"));
  Program::Options options;
  options.environment = {{"AHA_CUDA_LIBRARY", AHA_CUDA_PRETENDED},
                         {"AHA_PRETENDED_BYTES", "1100000000"}};
  for (const char* command : {"check", "train"}) {
    const auto end = Program({command, (folder / "job.yaml").string(), "--set", "device=cuda",
                              "--set", "train.max_tokens_per_micro_batch=1000000", "--set",
                              "stages.grpo.train.prompts_per_step=100000"},
                             options)
                         .wait();
    CHECK(end.code == 2);
    CHECK_THAT(end.err, contains("stage grpo: needs") && contains("a pretended GPU has") &&
                            contains("train.max_tokens_per_micro_batch"));
  }
  CHECK(!fs::exists(folder / "run"));
  const auto fits =
      Program({"check", (folder / "job.yaml").string(), "--set", "device=cuda"}, std::move(options))
          .wait();
  CHECK(fits.code == 0);
  CHECK_THAT(fits.out, contains("gpu        at most program"));
}

TEST_CASE("device: one that is not there is one line, and one that is unknown is refused") {
  const auto end = with_library({"logprobs", "--model", shared().model, "--device", "cuda"},
                                "/nowhere/libaha_cuda.so");
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("/nowhere/libaha_cuda.so is missing"));
  const auto unknown = run_aha({"logprobs", "--model", shared().model, "--device", "tpu"});
  CHECK(unknown.code == 2);
}
