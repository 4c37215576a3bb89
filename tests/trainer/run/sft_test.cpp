#include <cmath>
#include <set>

#include "tests/trainer/run/toy_job.h"
#include "trainer/metrics/step_metrics.h"
#include "trainer/run/sft.h"

using namespace aha_test;

namespace {

const std::vector<std::string> kSft = {"train.per_device_train_batch_size=8",
                                       "train.bucket_batches=4", "optim.learning_rate=3e-3"};

const char* const kStage = "stages: [{name: sft, method: sft}]\n";

double loss_of_step(ToyJob& job) {
  aha::MetricsRow row("sft", job.stage->step + 1, job.stage->step + 1);
  aha::sft_step(*job.stage, row);
  ++job.stage->step;
  return *row.get("loss");
}

}  // namespace

TEST_CASE("sft: the first loss is that of a uniform guess where weights are small, and it falls") {
  auto settings = kSft;
  settings.push_back("model.init.initializer_range=0.001");
  ToyJob job(settings, 2, kStage);
  const double first = loss_of_step(job);
  CHECK(first == Approx(std::log(static_cast<double>(job.policy.vocabulary()))).margin(0.01));
  double last = first;
  for (int i = 0; i < 30; ++i)
    last = loss_of_step(job);
  CHECK(last < 0.8 * first);
}

TEST_CASE("sft: a block of length-sorted batches visits every draw once") {
  ToyJob job(kSft, 2, kStage);
  std::uint64_t before = job.stage->sampler.cursor();
  for (int i = 0; i < 4; ++i) {
    loss_of_step(job);
    CHECK(job.stage->sampler.cursor() == before + 8);
    before += 8;
  }
}

TEST_CASE("sft: an example ends with the end-of-text id and masks its prompt") {
  ToyJob job(kSft, 2, kStage);
  const auto draw = job.stage->sampler.next(1).front();
  const auto group = aha::sft_example(
      {*job.stage->data.train, *job.policy.tokenizer, job.policy.config, job.stage->settings},
      draw);
  const auto& completion = group.completions.front();
  CHECK(completion.ids.back() == job.policy.config.eos_token_ids.front());
  CHECK(completion.sampled == std::vector<std::uint8_t>(completion.ids.size(), 1));
  CHECK(job.policy.tokenizer->decode(std::span(completion.ids).first(completion.ids.size() - 1)) ==
        group.prompt.fields.at("completion").get<std::string>());
}
