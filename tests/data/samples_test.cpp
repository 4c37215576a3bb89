#include "data/dataset.h"
#include "data/duplicates.h"
#include "data/prompt.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::unique_ptr<Dataset> sample(const std::string& name, const std::vector<std::string>& fields) {
  DataSource source;
  source.path = std::string(AHA_SOURCE_DIR) + "/data/samples/" + name;
  OpenOptions options;
  options.required_fields = fields;
  return open_dataset(source, options);
}

}  // namespace

TEST_CASE("samples: every file opens, repeats nothing and shares nothing with its test set",
          "[samples]") {
  const auto train = sample("gsm8k_train.jsonl", {"question", "answer"});
  const auto test = sample("gsm8k_test.jsonl", {"question", "answer"});
  const auto svamp = sample("svamp_test.jsonl", {"Body", "Question", "Answer"});
  for (const auto* dataset : {train.get(), test.get(), svamp.get()}) {
    CHECK(dataset->size() == 20);
    CHECK(duplicate_rows(*dataset, "question").count == 0);
  }
  CHECK(overlapping_rows(*train, *test, "question").count == 0);
  CHECK(overlapping_rows(*train, *train, "question").count == 20);
  CHECK(train->name() == "gsm8k_train");
}

TEST_CASE("samples: templates render their fields", "[samples]") {
  const auto countdown = sample("countdown_train.jsonl", {"nums", "target", "solution"});
  const PromptTemplate numbers("Make {target} from {nums}.", "question");
  CHECK(numbers.text(countdown->row(0), "x") == "Make 67 from [35, 90, 58].");
  const auto svamp = sample("svamp_test.jsonl", {});
  const PromptTemplate story("{Body}. {Question}", "question");
  CHECK_THAT(story.text(svamp->row(0), "x"), contains("How big is each group of bananas?"));
  const auto gsm8k = sample("gsm8k_test.jsonl", {});
  CHECK_THAT(PromptTemplate("r1_zero", "question").text(gsm8k->row(0), "x"),
             contains("User: Janet\xE2\x80\x99s ducks lay 16 eggs per day."));
}
