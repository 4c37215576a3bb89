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
  for (const auto* dataset : {train.get(), test.get(), svamp.get()})
    CHECK(duplicate_rows(*dataset, "question").count == 0);
  CHECK(overlapping_rows(*train, *test, "question").count == 0);
  CHECK(overlapping_rows(*train, *train, "question").count == 200);
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

TEST_CASE("samples: the rows of every file have their format", "[samples]") {
  struct Sample {
    const char* name;
    const char* format;
    std::int64_t rows;
  };
  for (const auto& [name, format, rows] :
       std::initializer_list<Sample>{{"gsm8k_train.jsonl", "gsm8k", 200},
                                     {"gsm8k_test.jsonl", "gsm8k", 100},
                                     {"svamp_train.jsonl", "svamp", 200},
                                     {"svamp_test.jsonl", "svamp", 100},
                                     {"math_train.jsonl", "math", 100},
                                     {"math500_test.jsonl", "math", 50},
                                     {"countdown_train.jsonl", "countdown", 200},
                                     {"countdown_test.jsonl", "countdown", 100},
                                     {"aime_invented.jsonl", "aime", 10},
                                     {"amc_invented.jsonl", "amc", 10}}) {
    CAPTURE(name);
    DataSource source;
    source.path = std::string(AHA_SOURCE_DIR) + "/data/samples/" + name;
    source.format = format;
    OpenOptions options;
    options.required_fields = {"question", "answer"};
    const auto dataset = open_dataset(source, options);
    CHECK(dataset->size() == rows);
    CHECK(duplicate_rows(*dataset, "question").count == 0);
    for (std::int64_t i = 0; i < rows; ++i)
      CHECK(dataset->row(i)["answer"].is_string());
  }
}
