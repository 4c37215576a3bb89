#include <map>
#include <set>
#include <sstream>

#include "data/tasks/generate.h"
#include "data/tasks/generated_task.h"
#include "data/tasks/task.h"
#include "data/text_hash.h"
#include "data/tokenizer/word_level.h"
#include "tests/data/data_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

std::int64_t value(const std::string& op, std::int64_t a, std::int64_t b) {
  return op == "+" ? a + b : op == "-" ? a - b : a * b;
}

std::vector<std::int64_t> sorted(std::vector<std::int64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

/// Checks a trace against the grammar, word for word; returns {waits, right}.
std::pair<int, bool> checked_trace(const Json& row, bool verdict, std::int64_t max_attempts) {
  const auto words = split_words(row["completion"]);
  const auto nums = sorted(row["nums"].get<std::vector<std::int64_t>>());
  const auto target = row["target"].get<std::int64_t>();
  std::size_t at = 0;
  std::int64_t attempts = 0;
  std::vector<std::string> last;
  bool hit = false;
  for (;;) {
    REQUIRE(at + 7 + (verdict ? 1 : 0) < words.size());
    const std::int64_t a = std::stoll(words[at]), b = std::stoll(words[at + 2]);
    const std::int64_t r = std::stoll(words[at + 3]), c = std::stoll(words[at + 5]);
    const std::int64_t t = std::stoll(words[at + 6]);
    REQUIRE(sorted({a, b, c}) == nums);
    REQUIRE(r == value(words[at + 1], a, b));
    REQUIRE(t == value(words[at + 4], r, c));
    REQUIRE((r >= 0 && r <= 99 && t >= 0 && t <= 99));
    hit = t == target;
    last = {words[at], words[at + 1], words[at + 2], words[at + 4], words[at + 5]};
    at += 7;
    if (verdict) REQUIRE(words[at++] == (hit ? "ok" : "no"));
    ++attempts;
    if (words[at] == "=>") break;
    REQUIRE(words[at++] == "wait");
    REQUIRE_FALSE(hit);
  }
  REQUIRE(attempts <= max_attempts);
  REQUIRE(std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                   words.end()) == last);
  return {static_cast<int>(attempts - 1), hit};
}

std::string identity_of(const Json& row) {
  if (row.contains("bits")) return row["bits"].dump();
  return Json(sorted(row["nums"].get<std::vector<std::int64_t>>())).dump() + row["target"].dump();
}

TaskOptions natural() {
  TaskOptions options;
  options.max_number = 99;
  options.operators = "+-*/";
  return options;
}

std::unique_ptr<Task> task_with_plain_options(const std::string& name) {
  return make_task(name, name == "countdown" ? natural() : TaskOptions{});
}

}  // namespace

TEST_CASE("text hash: equals its definition in Python", "[tasks][golden]") {
  const auto golden =
      read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/countdown_wait.json");
  for (const auto& row : golden["text_hash"])
    CHECK(fmt::format("{:016x}", text_hash(row["text"].get<std::string>())) ==
          row["hash"].get<std::string>());
}

TEST_CASE("tasks: a row depends on split, seed and index alone", "[tasks][property]") {
  const std::string name = GENERATE("countdown_wait", "parity", "countdown");
  const auto task = task_with_plain_options(name);
  const auto again = task_with_plain_options(name);
  CHECK(again->row(Split::HeldOut, 5, 40) == task->row(Split::HeldOut, 5, 40));  // out of order
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(task->row(Split::Train, 5, i) == again->row(Split::Train, 5, i));
    CHECK(task->row(Split::HeldOut, 5, i) == again->row(Split::HeldOut, 5, i));
  }
  CHECK(task->row(Split::Train, 5, 0) != task->row(Split::Train, 6, 0));
  CHECK(task->row(Split::Train, 5, 0) != task->row(Split::Train, 5, 1));
}

TEST_CASE("tasks: held-out problems never occur in training, whatever the seeds",
          "[tasks][property]") {
  const std::string name = GENERATE("countdown_wait", "parity", "countdown");
  const auto task = task_with_plain_options(name);
  std::set<std::string> held_out;
  std::set<std::string> questions;
  for (std::uint64_t i = 0; i < 512; ++i) {
    const auto row = task->row(Split::HeldOut, 1, i);
    held_out.insert(identity_of(row));
    CHECK(questions.insert(row["question"]).second);  // distinct among themselves
  }
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (std::uint64_t i = 0; i < 5000; ++i)
      REQUIRE_FALSE(held_out.contains(identity_of(task->row(Split::Train, seed, i))));
  }
}

TEST_CASE("tasks: when all held-out problems are used they come again", "[tasks]") {
  TaskOptions small;
  small.bits = 6;  // 64 problems
  const auto task = make_task("parity", small);
  std::map<std::string, int> seen;
  for (std::uint64_t i = 0; i < 300; ++i)
    ++seen[task->row(Split::HeldOut, 1, i)["question"]];
  CHECK(seen.size() > 4);
  CHECK(seen.size() < 32);
  for (const auto& [question, count] : seen)
    CHECK(count >= 300 / static_cast<int>(seen.size()) / 2);
}

TEST_CASE("countdown_wait: traces follow the grammar and the prototype's figures",
          "[tasks][golden]") {
  const auto golden =
      read_json(std::string(AHA_SOURCE_DIR) + "/tests/golden/data/countdown_wait.json");
  for (const auto& figures : golden["figures"]) {
    TaskOptions options;
    options.wait_probability = figures["wait_probability"];
    options.max_attempts = figures["max_attempts"];
    const auto task = make_task("countdown_wait", options);
    constexpr int kTraces = 40000;
    double waits = 0, with_wait = 0, right = 0, words = 0, target = 0;
    for (std::uint64_t i = 0; i < kTraces; ++i) {
      const auto row = task->row(Split::Train, 9, i);
      const auto [trace_waits, is_right] = checked_trace(row, true, options.max_attempts);
      waits += trace_waits;
      with_wait += trace_waits > 0 ? 1 : 0;
      right += is_right ? 1 : 0;
      words += static_cast<double>(split_words(row["completion"]).size());
      target += row["target"].get<double>();
    }
    // About four standard deviations of 40,000 traces each.
    CHECK(waits / kTraces == Approx(figures["waits"].get<double>()).margin(0.015));
    CHECK(with_wait / kTraces == Approx(figures["with_wait"].get<double>()).margin(0.01));
    CHECK(right / kTraces == Approx(figures["right"].get<double>()).margin(0.01));
    CHECK(words / kTraces == Approx(figures["words"].get<double>()).margin(0.14));
    CHECK(target / kTraces == Approx(figures["target"].get<double>()).margin(0.12));
  }
}

TEST_CASE("countdown_wait: the held-out questions are those that enumeration gives", "[tasks]") {
  // 141 problems make 665 questions: a round is over when a question comes again.
  const auto task = make_task("countdown_wait", {});
  std::set<std::string> questions;
  std::set<std::string> problems;
  for (std::uint64_t i = 0; i < 665; ++i) {
    const auto row = task->row(Split::HeldOut, 1, i);
    REQUIRE(questions.insert(row["question"]).second);
    problems.insert(identity_of(row));
  }
  CHECK(problems.size() == 141);
  CHECK(questions.contains(task->row(Split::HeldOut, 1, 665)["question"]));
}

TEST_CASE("countdown_wait: without verdict and with products the grammar holds", "[tasks]") {
  TaskOptions options;
  options.verdict = false;
  options.operators = "+-*";
  options.wait_probability = 0.5;
  const auto task = make_task("countdown_wait", options);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const auto row = task->row(Split::Train, 2, i);
    checked_trace(row, false, 10);
    const auto words = split_words(row["answer"]);
    REQUIRE(words.size() == 5);
    if (words[3] == "*") REQUIRE(words[1] == "*");  // means the same read from left to right
  }
}

TEST_CASE("countdown_wait: answers and ideals are right, prompts and words as the grammar has them",
          "[tasks]") {
  const auto task = make_task("countdown_wait", {});
  const auto words = task->vocabulary();
  CHECK(words.size() == 110);
  const auto tokenizer = make_word_level_tokenizer(words);
  CHECK(tokenizer->eos_id() == 106);
  for (std::uint64_t i = 0; i < 500; ++i) {
    auto row = task->row(Split::HeldOut, 3, i);
    const auto nums = row["nums"].get<std::vector<std::int64_t>>();
    CHECK(row["question"] == fmt::format("{} {} {} {} |", nums[0], nums[1], nums[2],
                                         row["target"].get<std::int64_t>()));
    CHECK(tokenizer->encode(row["question"].get<std::string>()).size() == 5);
    const auto completion = row["completion"].get<std::string>();
    CHECK(tokenizer->decode(tokenizer->encode(completion)) == completion);
    const auto answer = split_words(row["answer"]);
    CHECK(value(answer[3], value(answer[1], std::stoll(answer[0]), std::stoll(answer[2])),
                std::stoll(answer[4])) == row["target"].get<std::int64_t>());
    row["completion"] = task->ideal(row);
    CHECK(checked_trace(row, true, 1) == std::pair(0, true));
  }
}

TEST_CASE("parity: labels are right and the share of long traces is the one asked for", "[tasks]") {
  TaskOptions options;
  options.bits = 12;
  options.long_fraction = 0.3;
  const auto task = make_task("parity", options);
  CHECK(task->vocabulary() == std::vector<std::string>{"0", "1", "|", "=", "<eos>", "<pad>"});
  int long_traces = 0;
  int ones = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const auto row = task->row(Split::Train, 4, i);
    const auto bits = row["bits"].get<std::vector<int>>();
    std::string question, running;
    int parity = 0;
    for (const int bit : bits) {
      parity = (parity + bit) % 2;
      question += std::to_string(bit) + " ";
      running += std::to_string(parity) + " ";
    }
    REQUIRE(bits.size() == 12);
    REQUIRE(row["question"] == question + "|");
    REQUIRE(row["answer"] == std::to_string(parity));
    const auto answer = "= " + std::to_string(parity);
    const bool is_long = row["completion"] == running + answer;
    if (!is_long) REQUIRE(row["completion"] == answer);
    REQUIRE(task->ideal(row) == running + answer);
    long_traces += is_long ? 1 : 0;
    ones += parity;
  }
  CHECK(long_traces / 10000.0 == Approx(0.3).margin(0.02));
  CHECK(ones / 10000.0 == Approx(0.5).margin(0.03));
}

namespace {

/// Value of an expression with + - * / and parentheses, in doubles; recursive descent over short
/// text.
struct Calculator {
  std::string text;
  std::size_t at = 0;
  std::vector<std::int64_t> numbers = {};

  char peek() {
    while (at < text.size() && text[at] == ' ')
      ++at;
    return at < text.size() ? text[at] : '\0';
  }
  double factor() {
    if (peek() == '(') {
      ++at;
      const double inside = sum();
      REQUIRE(peek() == ')');
      ++at;
      return inside;
    }
    std::size_t used = 0;
    const auto number = std::stoll(text.substr(at), &used);
    at += used;
    numbers.push_back(number);
    return static_cast<double>(number);
  }
  double product() {
    double left = factor();
    while (peek() == '*' || peek() == '/')
      left = text[at++] == '*' ? left * factor() : left / factor();
    return left;
  }
  double sum() {
    double left = product();
    while (peek() == '+' || peek() == '-')
      left = text[at++] == '+' ? left + product() : left - product();
    return left;
  }
};

}  // namespace

TEST_CASE("countdown: answers reach the target with every number once", "[tasks]") {
  const auto task = make_task("countdown", natural());
  CHECK(task->vocabulary().empty());
  std::set<std::size_t> sizes;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const auto row = task->row(Split::Train, 4, i);
    INFO(row.dump());
    Calculator calculator{row["answer"]};
    REQUIRE(calculator.sum() == Approx(row["target"].get<double>()));
    const auto nums = row["nums"].get<std::vector<std::int64_t>>();
    REQUIRE(sorted(calculator.numbers) == sorted(nums));
    sizes.insert(nums.size());
    const auto target = row["target"].get<std::int64_t>();
    REQUIRE((target >= 1 && target <= 99));
    const auto end = " <answer> " + row["answer"].get<std::string>() + " </answer>";
    const auto completion = row["completion"].get<std::string>();
    REQUIRE(completion.ends_with(end));
    REQUIRE(task->ideal(row).ends_with(end));
    const auto counts = task->behaviour(row, completion);
    REQUIRE(counts.at("equations") == std::ssize(nums) - 1);
    REQUIRE(counts.at("slips") == 0);
    REQUIRE(counts.at("answered") == 1);
  }
  CHECK(sizes == std::set<std::size_t>{3, 4});
}

TEST_CASE("tasks: bad names and options are one clear line", "[tasks]") {
  const auto error = [](const std::string& name, const std::function<void(TaskOptions&)>& change) {
    return error_of([&] {
      TaskOptions options;
      change(options);
      make_task(name, options);
    });
  };
  CHECK_THAT(error("parityy", [](auto&) {}), contains("the nearest is 'parity'"));
  CHECK_THAT(error("parity", [](auto& o) { o.max_number = 5; }),
             contains("task 'parity' has no option 'max_number'; it has long_fraction and bits"));
  CHECK_THAT(error("parity", [](auto& o) { o.bits = 0; }), contains("bits is 0"));
  CHECK_THAT(error("parity", [](auto& o) { o.long_fraction = 1.5; }),
             contains("long_fraction is 1.5"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.operators = "+/"; }),
             contains("operators is '+/'"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.operators = "++"; }), contains("each once"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.operators = ""; }),
             contains("operators is ''"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.wait_probability = -0.1; }),
             contains("wait_probability is -0.1"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.max_attempts = 0; }),
             contains("max_attempts is 0"));
  CHECK_THAT(error("countdown_wait", [](auto& o) { o.max_number = 100; }),
             contains("max_number is 100"));
  CHECK_THAT(error("countdown_wait",
                   [](auto& o) {
                     o.max_number = 1;
                     o.operators = "-";
                   }),
             contains("leave no problem"));
  CHECK_THAT(error("countdown", [](auto& o) { o.min_numbers = 5; }), contains("min_numbers is 5"));
  CHECK_THAT(error("countdown", [](auto& o) { o.bits = 3; }), contains("no option 'bits'"));
}

TEST_CASE("generate: writes the rows that a run reads, one a line", "[tasks]") {
  const auto task = make_task("parity", {});
  std::ostringstream out;
  generate_rows(*task, {.split = Split::HeldOut, .seed = 3, .count = 4, .first = 2}, out);
  std::istringstream in(out.str());
  std::uint64_t index = 2;
  for (std::string line; std::getline(in, line); ++index)
    CHECK(parse_json(line, "line") == task->row(Split::HeldOut, 3, index));
  CHECK(index == 6);
  CHECK_THROWS_AS(generate_rows(*task, {.count = -1}, out), UserError);
  CHECK_THROWS_AS(generate_rows(*task, {.count = 1, .first = std::int64_t{1} << 62}, out),
                  UserError);
  out.setstate(std::ios::badbit);
  CHECK_THROWS_AS(generate_rows(*task, {.count = 1}, out), UserError);
}
