#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;

namespace {

Ended train_in(const std::vector<std::pair<std::string, std::string>>& environment,
               std::vector<std::string> more = {}) {
  TempFolder folder;
  spill(folder / "job.yaml", small_job(folder / "run"));
  more.insert(more.begin(), {"train", (folder / "job.yaml").string()});
  Program::Options options;
  options.environment = environment;
  auto end = Program(more, options).wait();
  if (end.code == 2) CHECK_FALSE(std::filesystem::exists(folder / "run"));
  return end;
}

const std::vector<std::pair<std::string, std::string>> kBatchScript = {
    {"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}};

}  // namespace

TEST_CASE("launch: one rank by torchrun's variables is a process as any other") {
  const auto end = train_in({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  INFO(end.err);
  CHECK(end.code == 0);
}

TEST_CASE("launch: ranks that would wait for others in vain are told so") {
  const auto batch = train_in(kBatchScript);
  CHECK(batch.code == 2);
  CHECK_THAT(batch.err, contains("start it by 'srun aha train ...'"));
  const auto half = train_in({{"RANK", "1"}});
  CHECK(half.code == 2);
  CHECK_THAT(half.err, contains("WORLD_SIZE is not set"));
}

TEST_CASE("launch: --nproc in what is a rank already is refused") {
  const auto end = train_in({{"RANK", "0"}, {"WORLD_SIZE", "2"}}, {"--nproc", "2"});
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("--nproc 2: this process is one of 2 ranks already"));
}

TEST_CASE("launch: --nproc 1 is a process by itself, in a batch script too") {
  const auto end = train_in(kBatchScript, {"--nproc=1"});
  INFO(end.err);
  CHECK(end.code == 0);
}

TEST_CASE("launch: a configuration that is wrong is said once, before any rank starts") {
  const auto end = train_in({}, {"--nproc", "3", "--set", "train.max_step=4"});
  CHECK(end.code == 2);
  const auto first = end.err.find("max_step");
  REQUIRE(first != std::string::npos);
  CHECK(end.err.find("rank") == std::string::npos);
  CHECK(end.err.find('\n') == end.err.size() - 1);
}
