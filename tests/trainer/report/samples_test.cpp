#include "trainer/report/samples.h"

#include <algorithm>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/report/run_files.h"
#include "trainer/report/encode.h"

using namespace aha;
using aha_test::contains;
using aha_test::sampled;
using aha_test::TempFolder;
using aha_test::write_run;

namespace {

OrderedJson read(int step, int unit, bool held_out, bool right, const std::string& text,
                 const std::string& answer) {
  auto row = sampled(step, unit, held_out, right, text);
  row["extracted"] = {{"exact", answer}};
  return row;
}

}  // namespace

TEST_CASE("read_samples: the first right answer after a reflective word, and the first learnt one",
          "[report]") {
  const TempFolder folder;
  write_run(folder.path(), 20,
            {read(1, 7, false, true, "4", "4"), read(2, 8, false, false, "5 wait 6", "6"),
             read(3, 9, false, true, "<answer>5</answer> wait", "5"),
             read(4, 9, false, true, "5, no. Wait, 4", "4")},
            {read(0, 0, true, false, "1", "1"), read(0, 1, true, true, "2", "2"),
             read(0, 2, true, false, "3", "3"), read(0, 3, true, false, "3", "3"),
             read(20, 0, true, true, "1", "1"), read(20, 1, true, true, "x wait 2", "2"),
             read(20, 2, true, true, "4 wait", "4"), read(20, 3, true, true, "3 wait 4", "4")});
  const SampleSet set = read_samples(read_record(folder.path()), {}, {});
  CHECK(set.recorded == 12);
  REQUIRE(set.rows.size() == 12);
  REQUIRE(set.first_aha);
  CHECK(set.rows[*set.first_aha]["text"] == "5, no. Wait, 4");
  REQUIRE(set.learnt_aha);  // not 0: no reflection; 1: right before; 2: reflection after the answer
  CHECK(set.rows[*set.learnt_aha]["text"] == "3 wait 4");
  CHECK(set.rows[0]["step"] == 0);
  CHECK(set.rows.back()["step"] == 20);
  CHECK(set.rows[*set.first_aha]["words"] == 1);
  CHECK(set.prompts[set.rows[0]["prompt"].get<std::size_t>()] == "problem 0");
}

TEST_CASE("read_samples: rare strata, late steps and the aha survive the limits", "[report]") {
  const TempFolder folder;
  std::vector<OrderedJson> train;
  for (int step = 1; step <= 400; ++step)
    for (int unit = 0; unit < 10; ++unit)
      train.push_back(sampled(step, 10 * step + unit, false, false, "wrong"));
  train[3995] = sampled(400, 5000, false, true, "hm, wait: right");  // one of 4,000
  train[3995]["extracted"] = {{"exact", "right"}};
  std::vector<OrderedJson> eval;
  for (int step = 0; step <= 400; step += 100)
    for (int unit = 0; unit < 50; ++unit)
      eval.push_back(sampled(step, unit, true, unit % 2 == 0, "42"));
  write_run(folder.path(), 400, train, eval);
  SampleLimits limits;
  limits.most = 200;
  const SampleSet set = read_samples(read_record(folder.path()), limits, {});
  CHECK(set.recorded == 4250);
  CHECK(set.rows.size() == 200);
  REQUIRE(set.first_aha);
  CHECK(set.rows[*set.first_aha]["unit"] == 5000);
  std::set<int> steps;
  std::map<int, std::set<int>> problems;  // held out, by step
  for (const auto& row : set.rows) {
    steps.insert(row["step"].get<int>());
    if (row["held_out"]) problems[row["step"].get<int>()].insert(row["unit"].get<int>());
  }
  CHECK(steps.size() >= 40);
  REQUIRE(problems.size() == 5);
  CHECK(problems[0].size() >= 2);
  // the same problems are seen again
  CHECK(std::includes(problems[0].begin(), problems[0].end(), problems[400].begin(),
                      problems[400].end()));
}

TEST_CASE("read_samples: broken lines are counted, a line being written is said", "[report]") {
  const TempFolder folder;
  write_run(folder.path(), 1, {}, {});
  write_file_atomic(folder / "completions/train.jsonl",
                    dump_line(sampled(1, 1, false, true, "a")) + "\nnonsense\n{\"step\":1}\n\n" +
                        dump_line(sampled(1, 2, false, true, "b")) + "\n{\"step\":2,\"compl");
  std::filesystem::remove(folder / "completions/eval.jsonl");
  const SampleSet set = read_samples(read_record(folder.path()), {}, {});
  CHECK(set.rows.size() == 2);
  REQUIRE(set.notes.size() == 3);
  CHECK_THAT(set.notes[0], contains("2 lines left out"));
  CHECK_THAT(set.notes[1], contains("train.jsonl: the last line is half written"));
  CHECK_THAT(set.notes[2], contains("eval.jsonl"));
}

TEST_CASE("read_samples: a text of 10 MB is kept whole beside its row", "[report]") {
  const TempFolder folder;
  std::string text;
  while (text.size() < 10'000'000)
    text += "\xf0\x9f\x98\x80";
  text = "begin" + text + "end";
  write_run(folder.path(), 1, {sampled(1, 1, false, true, text), sampled(1, 2, false, true, "a")},
            {});
  const SampleSet set = read_samples(read_record(folder.path()), {}, {});
  REQUIRE(set.rows.size() == 2);
  const auto shown = set.rows[0]["text"].get<std::string>();
  CHECK(shown.size() < 66'000);
  CHECK(shown.substr(0, 5) == "begin");
  CHECK(shown.substr(shown.size() - 3) == "end");
  CHECK_THAT(shown, contains("bytes are left out here"));
  CHECK_NOTHROW(set.rows.dump());  // strict about UTF-8
  CHECK(set.rows[0]["cut"] == text.size());
  CHECK(set.rows[0]["whole"] == 0);
  REQUIRE(set.wholes.size() == 1);
  CHECK(set.wholes[0] == packed(dump_line(OrderedJson(text))));
  CHECK_FALSE(set.rows[1].contains("cut"));
}

TEST_CASE("read_samples: long texts are kept whole as far as there is room", "[report]") {
  const TempFolder folder;
  std::vector<OrderedJson> train;
  for (int step = 1; step <= 5; ++step)
    train.push_back(sampled(step, step, false, true, std::string(100'000, 'x')));
  write_run(folder.path(), 5, train, {});
  SampleLimits limits;
  limits.whole_bytes = 250'000;
  const SampleSet set = read_samples(read_record(folder.path()), limits, {});
  CHECK(set.wholes.size() == 2);
  CHECK(set.whole_bytes == 200'000);
  CHECK(set.rows[1]["whole"] == 1);
  CHECK_FALSE(set.rows[2].contains("whole"));
  CHECK(set.rows[2]["cut"] == 100'000);
}

TEST_CASE("read_samples: tokens come with their numbers where they were recorded", "[report]") {
  const TempFolder folder;
  auto row = sampled(1, 1, false, true, "ab");
  row["completion_ids"] = {1, 2};
  row["logprobs"] = {-0.5, -1.5};
  row["entropies"] = {0.25};  // of another length: not believed
  write_run(folder.path(), 1, {row}, {});
  const TokenTexts texts = [](std::span<const TokenId> ids) {
    std::vector<std::string> list;
    for (const auto id : ids)
      list.push_back("t" + std::to_string(id));
    return list;
  };
  const SampleSet set = read_samples(read_record(folder.path()), {}, texts);
  CHECK(set.rows[0]["tokens"] == OrderedJson({"t1", "t2"}));
  CHECK(set.rows[0]["logprobs"] == OrderedJson({-0.5, -1.5}));
  CHECK_FALSE(set.rows[0].contains("entropies"));
  const auto without = read_samples(read_record(folder.path()), {}, {}).rows[0];
  CHECK_FALSE(without.contains("tokens"));
  CHECK_THAT(without["no_tokens"].get<std::string>(), contains("no checkpoint"));
}

TEST_CASE("read_samples: what is written stays within the limits, tokens and prompts included",
          "[report]") {
  const TempFolder folder;
  std::vector<OrderedJson> train;
  for (int step = 1; step <= 300; ++step) {
    auto row = sampled(step, step, false, step == 150, step == 150 ? "wait, right" : "wrong");
    row["prompt"] = "problem " + std::to_string(step) + std::string(300, 'p');
    row["completion_ids"] = std::vector<int>(100, 1);
    row["logprobs"] = std::vector<double>(100, -0.12345678901234);
    if (step == 150) row["extracted"] = {{"exact", "right"}};
    train.push_back(row);
  }
  write_run(folder.path(), 300, train, {});
  const TokenTexts texts = [](std::span<const TokenId> ids) {
    return std::vector<std::string>(ids.size(), "token");
  };
  SampleLimits limits;
  limits.text_bytes = 100'000;
  const SampleSet set = read_samples(read_record(folder.path()), limits, texts);
  const auto written = dump_line(set.rows).size() + dump_line(set.prompts).size();
  CHECK(written < 103'000);  // commas and places of prompts
  CHECK(written > 90'000);
  REQUIRE(set.first_aha);
  CHECK(set.rows[*set.first_aha]["text"] == "wait, right");
}

TEST_CASE("read_samples: an extracted answer and a source of a megabyte are cut", "[report]") {
  const TempFolder folder;
  auto row = sampled(1, 1, false, true, "a");
  row["extracted"] = {{"exact", std::string(1'000'000, 'x')}, {"other", "4"}};
  row["source"] = std::string(1'000'000, 's');
  write_run(folder.path(), 1, {row}, {});
  const SampleSet set = read_samples(read_record(folder.path()), {}, {});
  REQUIRE(set.rows.size() == 1);
  CHECK(dump_line(set.rows).size() < 140'000);
  CHECK(set.rows[0]["extracted"]["other"] == "4");
  CHECK_THAT(set.rows[0]["extracted"]["exact"].get<std::string>(), contains("are left out here"));
}

TEST_CASE("read_samples: what is too large and no text is one text that says so", "[report]") {
  const TempFolder folder;
  auto row = sampled(1, 1, false, true, "a");
  row["rewards"] = std::vector<double>(40'000, 0.5);
  row["source"] = std::vector<int>(40'000, 12345);
  row["extracted"] = std::vector<std::string>(40'000, "xy");
  row["finish"] = {{"deep", std::vector<int>(40'000, 12345)}};
  write_run(folder.path(), 1, {row}, {});
  const SampleSet set = read_samples(read_record(folder.path()), {}, {});
  REQUIRE(set.rows.size() == 1);
  for (const char* key : {"rewards", "source", "extracted", "finish"}) {
    INFO(key);
    CHECK_THAT(set.rows[0][key].get<std::string>(), contains("bytes are left out here"));
  }
}

TEST_CASE("read_samples: a text never gets longer by cutting", "[report]") {
  const TempFolder folder;
  auto row = sampled(1, 1, false, true, "0123456789");
  row["extracted"] = {{"a", "0123456789"}, {"b", "0123456789"}};
  write_run(folder.path(), 1, {row}, {});
  SampleLimits limits;
  limits.one_text = 8;
  const SampleSet set = read_samples(read_record(folder.path()), limits, {});
  REQUIRE(set.rows.size() == 1);
  CHECK(set.rows[0]["text"] == "0123456789");
}

TEST_CASE("read_samples: numbers that do not parse cost a row its tokens alone", "[report]") {
  const TempFolder folder;
  write_run(folder.path(), 1, {}, {});
  write_file_atomic(
      folder / "completions/train.jsonl",
      R"({"step":1,"completion":"a [1, 2] \"[3]\" \\","completion_ids":[1,2],"logprobs":[1e999,-]})"
      "\n"
      R"({"step":1,"index":1,"completion":"b","completion_ids":[1,2],"logprobs":[-0.5,null]})"
      "\n");
  const TokenTexts texts = [](std::span<const TokenId> ids) {
    return std::vector<std::string>(ids.size(), "t");
  };
  const SampleSet set = read_samples(read_record(folder.path()), {}, texts);
  REQUIRE(set.rows.size() == 2);
  CHECK(set.rows[0]["text"] == "a [1, 2] \"[3]\" \\");
  CHECK(set.rows[0]["tokens"].empty());
  CHECK(set.rows[1]["tokens"].size() == 2);
  CHECK(set.rows[1]["logprobs"] == OrderedJson({-0.5, nullptr}));
}
