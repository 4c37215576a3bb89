#include "tests/end_to_end/small_job.h"
#include "tests/support/catch.h"

using namespace aha_test;
namespace fs = std::filesystem;

namespace {

/// One trained job for all cases of this file.
struct Shared {
  Shared() : run(folder / "run") {
    spill(folder / "job.yaml", small_job(run));
    const auto end = run_aha({"train", (folder / "job.yaml").string()});
    INFO(end.err);
    REQUIRE(end.code == 0);
    err = end.err;
  }
  TempFolder folder;
  fs::path run;
  std::string err;
};

const Shared& shared() {
  static const Shared made;
  return made;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("train: its last line names the page that it has written") {
  const auto& s = shared();
  const auto last = s.err.substr(s.err.rfind('\n', s.err.size() - 2) + 1);
  CHECK_THAT(last, contains((s.run / "report.html").string()));
  const auto page = slurp(s.run / "report.html");
  CHECK(page.rfind("<!doctype html>", 0) == 0);
  CHECK_THAT(page, contains("id=\"samples-0\""));
}

TEST_CASE("report -o: the page is one file that names no other") {
  const auto& s = shared();
  const auto file = s.folder / "pages/of run.html";
  fs::create_directories(file.parent_path());
  const auto end = run_aha({"report", s.run.string(), s.run.string(), "-o", file.string()});
  INFO(end.err);
  REQUIRE(end.code == 0);
  CHECK(end.out.empty());
  CHECK_THAT(end.err, contains(file.string()));
  const auto page = slurp(file);
  CHECK_THAT(page, contains("Content-Security-Policy"));
  CHECK_THAT(page, contains("id=\"samples-1\""));
  CHECK(count_of(page, " src=") == 0);
  CHECK(count_of(page, "<link") == 0);
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);
}

TEST_CASE("report -o: csv has every number of metrics.jsonl") {
  const auto& s = shared();
  const auto end = run_aha({"report", s.run.string(), "-o", (s.folder / "all.csv").string()});
  REQUIRE(end.code == 0);
  std::size_t numbers = 0;
  for (const auto& row : rows_of(slurp(s.run / "metrics.jsonl")))
    for (const auto& [key, value] : row.items())
      numbers += key != "step" && key != "global_step" && value.is_number();
  CHECK(count_of(slurp(s.folder / "all.csv"), "\n") == numbers + 1);
}

TEST_CASE("report -o: Markdown has its curves beside it") {
  const auto& s = shared();
  const auto end = run_aha({"report", s.run.string(), "-o", (s.folder / "run.md").string()});
  REQUIRE(end.code == 0);
  CHECK_THAT(slurp(s.folder / "run.md"), contains("![curves](run.svg)"));
  CHECK_THAT(slurp(s.folder / "run.svg"), contains("<polyline"));
}

TEST_CASE("report: what cannot be is refused with code 2, and nothing is written") {
  const auto& s = shared();
  const auto none = s.folder / "none.html";
  const auto end = run_aha({"report", (s.folder / "no_run").string(), "-o", none.string()});
  CHECK(end.code == 2);
  CHECK_THAT(end.err, contains("no_run"));
  CHECK_FALSE(fs::exists(none));
  CHECK(run_aha({"report", s.run.string(), "-o", (s.folder / "a.docx").string()}).code == 2);
  CHECK(run_aha({"report", s.run.string(), "-o", (s.folder / "no/such/a.html").string()}).code ==
        2);
}
