#include "data/dataset.h"

#include <set>

#include "data/duplicates.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

JsonlOptions options_with(std::int64_t max_invalid,
                          std::vector<std::string> fields = {"question"}) {
  JsonlOptions options;
  options.max_invalid = max_invalid;
  options.required_fields = std::move(fields);
  return options;
}

}  // namespace

TEST_CASE("dataset: rows keep their line numbers through blanks, CRLF and a byte order mark",
          "[dataset]") {
  const TempFolder folder;
  const auto path =
      written(folder, "d.jsonl",
              "\xEF\xBB\xBF{\"question\": \"a\"}\r\n\n  \t\r\n{\"question\": \"stra\xC3\x9F"
              "e\"}\r\n{\"question\": \"last\"}");
  const JsonlDataset dataset(path, options_with(0));
  REQUIRE(dataset.size() == 3);
  CHECK(dataset.name() == "d");
  CHECK(dataset.row(0)["question"] == "a");
  CHECK(dataset.row(1)["question"] ==
        "stra\xC3\x9F"
        "e");
  CHECK(dataset.row(2)["question"] == "last");
  CHECK(dataset.where(1) == path.string() + ":4");
  CHECK(dataset.where(2) == path.string() + ":5");
}

TEST_CASE(
    "dataset: a byte order mark before a later line, of files that were joined, is no part of it",
    "[dataset]") {
  const TempFolder folder;
  const std::string row = "{\"question\": \"a\"}\n";
  const std::string mark = "\xEF\xBB\xBF";
  const auto path = written(folder, "d.jsonl", row + mark + row + mark + "\n" + row);
  const JsonlDataset dataset(path, options_with(0));
  CHECK(dataset.size() == 3);
  CHECK(dataset.row(1)["question"] == "a");
  CHECK(dataset.where(2) == path.string() + ":4");
  CHECK(dataset.fingerprint() ==
        JsonlDataset(written(folder, "e.jsonl", row + row + row), options_with(0)).fingerprint());
}

TEST_CASE("dataset: each kind of bad line is named with its place", "[dataset]") {
  struct Row {
    std::string line;
    std::string message;
  };
  const auto row = GENERATE(values<Row>({
      {"{\"question\": ", "d.jsonl:2: not valid JSON"},
      {"[1]", "d.jsonl:2: expected a JSON object, found array"},
      {"7", "d.jsonl:2: expected a JSON object, found number"},
      {"{\"Question\": \"x\", \"id\": 1}",
       "d.jsonl:2: field 'question' is missing; the row has Question and id"},
      {"{\"question\": null}", "d.jsonl:2: field 'question' is null"},
      {"{\"question\": \"\"}", "d.jsonl:2: field 'question' is empty"},
      {"{\"question\": \"\xFF\"}", "d.jsonl:2: not UTF-8: byte 15 of the line"},
      {"{\"question\": \"\\ud800\"}", "d.jsonl:2: not valid JSON"},
      {std::string("{\"question\": \"a\0b\"}", 19), "d.jsonl:2: not valid JSON"},
      {std::string(500, '[') + std::string(500, ']'), "d.jsonl:2: JSON nested deeper"},
  }));
  const TempFolder folder;
  const auto path = written(folder, "d.jsonl",
                            "{\"question\": \"a\"}\n" + row.line + "\n{\"question\": \"b\"}\n");
  const auto message = error_of([&] { JsonlDataset(path, options_with(0)); });
  CHECK_THAT(message, contains(row.message));
  CHECK(std::count(message.begin(), message.end(), '\n') == 1);
  CHECK_THAT(message, contains("d.jsonl: 1 bad, 2 good; data.max_invalid: 1 would skip"));
  CHECK(JsonlDataset(path, options_with(1)).invalid() == 1);
  CHECK(JsonlDataset(path, options_with(1)).size() == 2);
}

TEST_CASE("dataset: the first five bad lines are named, and how many there are", "[dataset]") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += "{}\n";
  const auto path = written(folder, "d.jsonl", text + "{\"question\": \"a\"}\n");
  const auto message = error_of([&] { JsonlDataset(path, options_with(0)); });
  CHECK(std::count(message.begin(), message.end(), '\n') == 5);
  CHECK_THAT(message, contains("d.jsonl:1:"));
  CHECK_THAT(message, contains("d.jsonl:5:"));
  CHECK_THAT(message, !contains("d.jsonl:6:"));

  CHECK(JsonlDataset(path, options_with(8)).invalid() == 8);
  CHECK_THAT(error_of([&] { JsonlDataset(path, options_with(7)); }),
             contains("d.jsonl: 8 bad, 1 good; data.max_invalid: 8 would skip the bad ones"));
}

TEST_CASE("dataset: numbers that would be rounded are texts, in either order of keys",
          "[dataset]") {
  const TempFolder folder;
  const auto path =
      written(folder, "d.jsonl",
              "{\"question\": \"a\", \"answer\": 12345678901234567890123, \"n\": 1e400}\n");
  const JsonlDataset dataset(path, options_with(0));
  CHECK(dataset.row(0)["answer"] == "12345678901234567890123");
  CHECK(dataset.ordered_row(0)["n"] == "1e400");
}

TEST_CASE("dataset: empty, absent and unreadable files are refused", "[dataset]") {
  const TempFolder folder;
  CHECK_THAT(error_of([&] { JsonlDataset(written(folder, "e", ""), {}); }), contains("is empty"));
  CHECK_THAT(error_of([&] { JsonlDataset(written(folder, "b", "\n \n"), {}); }),
             contains("is empty"));
  CHECK_THAT(error_of([&] { JsonlDataset(written(folder, "i", "{}\n"), options_with(9)); }),
             contains("is empty"));
  CHECK_THAT(error_of([&] { JsonlDataset(folder / "absent", {}); }), contains("cannot be read"));
  CHECK_THAT(error_of([&] { JsonlDataset(folder.path(), {}); }), contains("reading failed"));
}

TEST_CASE("dataset: a line beyond the limit is an error and costs no memory", "[dataset]") {
  const TempFolder folder;
  auto options = options_with(1);
  options.max_line_bytes = 200000;  // beyond one read of 64 KiB
  const auto line = [](std::size_t size) {
    return "{\"question\": \"" + std::string(size - 16, 'x') + "\"}";
  };
  const auto path =
      written(folder, "d.jsonl", line(200000) + "\r\n" + line(200001) + "\n" + line(20) + "\n");
  const JsonlDataset dataset(path, options);
  CHECK(dataset.size() == 2);
  CHECK(dataset.where(1) == path.string() + ":3");
  CHECK(dataset.row(0)["question"].get<std::string>().size() == 200000 - 16);
  options.max_invalid = 0;
  CHECK_THAT(error_of([&] { JsonlDataset(path, options); }),
             contains("d.jsonl:2: line longer than 200000 bytes"));
}

TEST_CASE("dataset: a caller's own objection counts as a bad line", "[dataset]") {
  const TempFolder folder;
  const auto path = written(folder, "d.jsonl", "{\"question\": \"1\"}\n{\"question\": \"2\"}\n");
  auto options = options_with(0);
  options.problem = [](const Json& row) -> std::optional<std::string> {
    if (row["question"] == "2") return "gold '2' cannot be parsed";
    return std::nullopt;
  };
  CHECK_THAT(error_of([&] { JsonlDataset(path, options); }),
             contains("d.jsonl:2: gold '2' cannot be parsed"));
  options.count = 1;  // the second line is never reached
  CHECK(JsonlDataset(path, options).size() == 1);
}

TEST_CASE("dataset: a split is disjoint by question, complete and the same every time",
          "[dataset]") {
  const TempFolder folder;
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += Json{{"question", "q" + std::to_string(i % 900)}, {"id", i}}.dump() + "\n";
  const JsonlDataset all(written(folder, "d.jsonl", text), {});
  const auto [train, held_out] = all.split(0.2, 7, "question", "held_out");
  CHECK(held_out->name() == "held_out");
  CHECK(*train->size() + *held_out->size() == 2000);
  CHECK(static_cast<double>(*held_out->size()) / 2000 == Approx(0.2).margin(0.04));
  CHECK(overlapping_rows(*train, *held_out, "question").count == 0);
  const auto again = all.split(0.2, 7, "question", "held_out").second;
  REQUIRE(again->size() == held_out->size());
  for (std::int64_t i = 0; i < *again->size(); ++i) {
    CHECK(again->row(i) == held_out->row(i));
    CHECK(again->where(i) == held_out->where(i));
  }
  CHECK(all.split(0.2, 8, "question", "x").second->row(0) != held_out->row(0));
  CHECK_THAT(error_of([&] { all.split(1e-9, 7, "question", "x"); }),
             contains("leaves no row for evaluation"));
}

TEST_CASE("dataset: duplicates and overlap are counted and placed", "[dataset]") {
  const TempFolder folder;
  const JsonlDataset a(
      written(folder, "a.jsonl",
              "{\"question\": \"x\"}\n{\"question\": \"y\"}\n{\"question\": \"x\"}\n"),
      {});
  const JsonlDataset b(written(folder, "b.jsonl", "{\"question\": \"z\"}\n{\"question\": \"y\"}\n"),
                       {});
  const auto repeats = duplicate_rows(a, "question");
  CHECK(repeats.count == 1);
  CHECK(repeats.text() == "1 row repeats a question: " + a.where(2) + " (as " + a.where(0) + ")");
  CHECK(duplicate_rows(b, "question").text().empty());
  const auto overlap = overlapping_rows(a, b, "question");
  CHECK(overlap.count == 1);
  CHECK(overlap.first[0] == std::pair(b.where(1), a.where(1)));
}

TEST_CASE("dataset: opening names what is wrong with its configuration", "[dataset]") {
  CHECK_THAT(error_of([] { open_dataset({}, {}); }), contains("found neither"));
  DataSource both;
  both.path = "x";
  both.task = "parity";
  CHECK_THAT(error_of([&] { open_dataset(both, {}); }), contains("found both"));
  DataSource task;
  task.task = "parity";
  const auto endless = open_dataset(task, {});
  CHECK_FALSE(endless->size());
  CHECK(endless->name() == "parity");
  CHECK(endless->row(123456)["bits"].size() == 16);
  task.count = 5;
  task.name = "five";
  CHECK(open_dataset(task, {})->size() == 5);
  CHECK(open_dataset(task, {})->where(3) == "five row 3");
  task.count = -1;
  CHECK_THAT(error_of([&] { open_dataset(task, {}); }), contains("'count' is -1"));
}
