#include "trainer/report/page.h"

#include <sys/resource.h>

#include <cstdlib>
#include <ctime>

#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"
#include "tests/trainer/report/run_files.h"
#include "trainer/report/encode.h"
#include "trainer/report/page_files.h"

using namespace aha;
using aha_test::contains;
using aha_test::sampled;
using aha_test::TempFolder;
using aha_test::write_run;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kHostile = {
    "</script><script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 2'> <svg onload=\"window.hurt = 3\">",
    "--><style>body{display:none}</style><a href='javascript:window.hurt=4'>wait</a>",
    "left \xe2\x80\xae right to left \xe2\x80\xac and \xe2\x80\x8b nothing \x1b[31m",
    // blank of Braille, joiner, two selectors of variants
    "blank \xe2\xa0\x80 join \xcd\x8f select \xef\xb8\x8f \xf3\xa0\x84\x80",
    "{{constructor.constructor('window.hurt=5')()}} ${window.hurt = 6} &lt;b&gt;",
};

std::string letters(std::size_t count, char letter) {
  return std::string(count, letter);
}

PageInputs inputs_of(const std::vector<fs::path>& folders, const TokenTexts& tokens = {}) {
  PageInputs inputs;
  inputs.made = "now";
  for (const auto& folder : folders)
    inputs.runs.push_back(read_record(folder));
  name_apart(inputs.runs);
  for (const auto& run : inputs.runs)
    inputs.samples.push_back(read_samples(run, {}, tokens));
  return inputs;
}

void write_hostile_run(const fs::path& folder) {
  std::vector<OrderedJson> train, eval;
  for (int step = 1; step <= 30; ++step)
    train.push_back(
        sampled(step, step, false, step % 3 == 0, step % 2 == 0 ? "6 no wait 7 ok" : "5 ok"));
  for (std::size_t i = 0; i < kHostile.size(); ++i) {
    auto row = sampled(30, 100 + static_cast<int>(i), true, true, kHostile[i]);
    row["prompt"] = kHostile[i];
    row["stage"] = "grpo";
    row["extracted"] = {{kHostile[0], kHostile[1]}};
    row["rewards"] = {{kHostile[1], 1.0}};
    eval.push_back(row);
  }
  write_run(folder, 30, train, eval);
  JsonlWriter metrics(folder / "metrics.jsonl", fs::file_size(folder / "metrics.jsonl"));
  metrics.write(OrderedJson{{"step", 31},
                            {"stage", "grpo"},
                            {kHostile[0], 1.0},
                            {"rewards/" + kHostile[1] + "/mean", 0.5}});
  metrics.write(OrderedJson{{"step", 1}, {"stage", kHostile[1]}, {"loss", 1.0}});
  metrics.write(OrderedJson{{"step", 2}, {"stage", "grpo"}, {kHostile[3], 1.0}});
}

/// Rows that have what nobody expects where numbers and texts are expected, two of one group, and tokens that turn
/// text around.
void write_odd_page(const fs::path& folder) {
  std::vector<OrderedJson> rows;
  for (int index = 0; index < 2; ++index) {
    auto row = sampled(1, 1, false, true, "odd");
    row["index"] = index;
    row["length"] = "long";
    row["finish"] = 7;
    row["rewards"] =
        index == 0 ? OrderedJson("all of them") : OrderedJson{{"a", {1, 2}}, {"b", true}};
    row["reward"] = {{"a", 1}};
    row["accuracy"] = "yes";
    row["advantage"] = {1};
    row["extracted"] = index == 0 ? OrderedJson({1, {{"a", 2}}}) : OrderedJson(nullptr);
    row["completion_ids"] = {0, 1};
    row["logprobs"] = {nullptr, -0.5};
    row["entropies"] = {"x", 0.25};
    rows.push_back(row);
  }
  write_run(folder / "odd", 1, rows, {});
  const TokenTexts tokens = [](std::span<const TokenId> ids) {
    return std::vector<std::string>(ids.size(), "\xe2\x80\xae");
  };
  write_file_atomic(folder / "odd.html", html_page(inputs_of({folder / "odd"}, tokens)));
}

/// A run whose first step is 0, where a logarithmic axis has no place.
void write_zero_page(const fs::path& folder) {
  write_run(folder / "zero", 30, {}, {});
  JsonlWriter(folder / "zero/metrics.jsonl", fs::file_size(folder / "zero/metrics.jsonl"))
      .write(aha_test::metrics_row(0, 0.05));
  write_file_atomic(folder / "zero.html", html_page(inputs_of({folder / "zero"})));
}

/// One line of 10 MB of what does not compress well, with markup and a word at chosen places; and one that the page
/// has no room for.
void write_long_page(const fs::path& folder) {
  std::string text = "begin <b>";
  std::uint64_t noise = 1;
  while (text.size() < 10'000'000) {
    noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
    text += static_cast<char>(' ' + (noise >> 33U) % 95);
  }
  text.replace(5'000'000, 25, " wait <img src=x onerror> ");
  text += "\xe2\x80\xae end";
  write_run(folder / "long", 1,
            {sampled(1, 1, false, true, text), sampled(1, 2, false, true, text)}, {});
  PageInputs inputs = inputs_of({folder / "long"});
  inputs.samples[0].wholes[1] = letters(29'000'000, 'A');
  write_file_atomic(folder / "long.txt", text);
  write_file_atomic(folder / "long.html", html_page(inputs));
}

}  // namespace

TEST_CASE("html_page: its policy names what it runs, and allows nothing else", "[report]") {
  const TempFolder folder;
  write_hostile_run(folder / "run");
  const std::string page = html_page(inputs_of({folder / "run"}));
  CHECK_THAT(page, contains("default-src 'none'; script-src 'sha256-"));
  CHECK_THAT(page, contains(csp_source(page_file("script").sha256)));
  CHECK(page.find("unsafe-inline") == std::string::npos);
  CHECK(page.find(" src=") == std::string::npos);
  CHECK(page.find("<link") == std::string::npos);
  for (const auto& text : {"window.hurt", "onerror", "javascript:"})
    CHECK(page.find(text) == std::string::npos);
}

TEST_CASE("html_page: a name that is markup is text in the title", "[report]") {
  PageInputs inputs;
  inputs.runs.resize(1);
  inputs.runs[0].name = "</title><script>alert(1)</script>";
  inputs.samples.resize(1);
  const std::string page = html_page(inputs);
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK_THAT(page, contains("&lt;/title&gt;"));
}

TEST_CASE("html_page: long texts that do not fit are left out, the page stays under 30 MB",
          "[report]") {
  PageInputs inputs;
  inputs.runs.resize(1);
  inputs.samples.resize(1);
  inputs.samples[0].wholes = {letters(10'000'000, 'A'), letters(20'000'000, 'B'),
                              letters(10'000'000, 'C')};
  const std::string page = html_page(inputs);
  CHECK(page.size() < 30'000'000);
  CHECK_THAT(page, contains("id=\"whole-0-0\""));
  CHECK(page.find("id=\"whole-0-1\"") == std::string::npos);
  CHECK_THAT(page, contains("id=\"whole-0-2\""));
}

// Pages for page_test.py, which looks at them in a browser.
TEST_CASE("report pages: written for the browser", "[.write_pages]") {
  const char* place = std::getenv("AHA_PAGES");
  REQUIRE(place != nullptr);
  const fs::path folder = place;
  write_hostile_run(folder / "run");
  write_file_atomic(folder / "small.html", html_page(inputs_of({folder / "run"})));
  for (const char* seed : {"seed_1", "seed_2"})
    write_run(folder / seed, seed[5] == '1' ? 20 : 15, {}, {});
  write_odd_page(folder);
  write_zero_page(folder);
  PageInputs seeds = inputs_of({folder / "seed_1", folder / "seed_2"});
  for (auto& run : seeds.runs) {
    run.config.emplace();
    run.config->stages.emplace_back();
    run.config->seed = static_cast<unsigned char>(run.name.back());
  }
  for (auto& value : seeds.runs[1].stages[0].series["reward"].values)
    value += 1;
  write_file_atomic(folder / "seeds.html", html_page(seeds));
  write_file_atomic(folder / "hostile.json", dump_line(OrderedJson(kHostile)));
}

TEST_CASE("report pages: one with a long line", "[.write_long_page]") {
  const char* place = std::getenv("AHA_PAGES");
  REQUIRE(place != nullptr);
  write_long_page(place);
}

namespace {

/// The size that a report is promised for: 10,000 steps of 40 metrics, 100,000 completions, of 100 tokens each with
/// their numbers if those are asked for.
void write_large_page(const std::string& name, bool with_tokens) {
  const char* place = std::getenv("AHA_PAGES");
  REQUIRE(place != nullptr);
  const fs::path run = fs::path(place) / name;
  write_run(run, 0, {}, {});
  {
    JsonlWriter metrics(run / "metrics.jsonl");
    JsonlWriter train(run / "completions/train.jsonl");
    std::uint64_t noise = 1;
    const auto next = [&] { return (noise = noise * 6364136223846793005ULL + 1) >> 2U; };
    for (int step = 1; step <= 10000; ++step) {
      auto row = aha_test::metrics_row(step, step == 5000 ? 50.0 : 0.1);
      for (int key = 0; key < 38; ++key)
        row["rewards/part_" + std::to_string(key) + "/mean"] =
            static_cast<double>(next() >> 40U) / 1e7;
      metrics.write(row);
      std::vector<OrderedJson> rows;
      for (int unit = 0; unit < 10; ++unit) {
        std::string text;
        while (text.size() < 700) {
          const auto word = next();
          text += std::to_string(word >> 54U) + (word % 4 == 0 ? " wait, " : " so ");
        }
        rows.push_back(sampled(step, 10 * step + unit, false, unit == 0, text));
        if (!with_tokens) continue;
        for (int token = 0; token < 100; ++token) {
          rows.back()["completion_ids"].push_back(next() % 100'000);
          rows.back()["logprobs"].push_back(-static_cast<double>(next() >> 40U) / 1e7);
        }
      }
      train.write(std::span<const OrderedJson>(rows));
    }
  }
  // of the processor, on all cores: what a clock on the wall shows depends on who else is there
  const std::clock_t begin = std::clock();
  const TokenTexts tokens = [](std::span<const TokenId> ids) {
    return std::vector<std::string>(ids.size(), "token");
  };
  write_file_atomic(fs::path(place) / (name + ".html"), html_page(inputs_of({run}, tokens)));
  const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  rusage used{};
  REQUIRE(getrusage(RUSAGE_SELF, &used) == 0);
  const OrderedJson cost{{"seconds", took}, {"bytes", std::int64_t{1024} * used.ru_maxrss}};
  write_file_atomic(fs::path(place) / (name + "_cost.json"), dump_line(cost));
}

}  // namespace

// Each in a process of its own, whose largest size in memory is told.
TEST_CASE("report pages: a large one, with its cost", "[.write_large_page]") {
  write_large_page("large", false);
}

TEST_CASE("report pages: a large one with tokens, with its cost", "[.write_large_tokens]") {
  write_large_page("large_tokens", true);
}
