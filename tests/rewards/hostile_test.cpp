// What surrounds a process must not move a score: its locale, its floating-point flags, its threads.
#include <cfenv>
#include <clocale>
#include <locale>
#include <thread>

#include "tests/rewards/math_pairs.h"
#include "tests/rewards/rewards_support.h"
#include "tests/support/catch.h"

using namespace aha;       // NOLINT
using namespace aha_test;  // NOLINT

namespace {

struct Case {
  std::string reward;
  Judged judged;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto* pairs : {&kSame, &kOther}) {
    for (const auto& [gold, text] : *pairs)
      all.push_back({"math", {.text = text, .row = {{"answer", gold}}, .bare = true}});
  }
  for (const auto& row : json_lines(golden_path("math_rows.jsonl")))
    all.push_back({"math", {.text = row["prediction"], .row = {{"answer", row["gold"]}}}});
  all.push_back({"numeric", {.text = "#### 1,234.50", .row = {{"answer", "1234.5"}}}});
  all.push_back(
      {"countdown",
       {.text = "<answer>1234 + 2/4</answer>", .row = {{"nums", {1234, 2, 4}}, {"target", 1235}}}});
  all.push_back({"soft_overlong", {.text = "", .length = 1234, .max_completion_length = 1300}});
  all.push_back({"cosine_length",
                 {.text = "8", .row = {{"answer", "8"}}, .length = 7, .max_completion_length = 9}});
  all.push_back({"language", {.text = "eins zwei und \xD0\xBF\xD1\x80\xD0\xB8"}});
  return all;
}

std::vector<RewardPart> scores_of(const std::vector<Case>& all) {
  std::vector<RewardPart> parts;
  parts.reserve(all.size());
  for (const auto& [reward, judged] : all)
    parts.push_back(judged.by(reward));
  return parts;
}

void check_same(const std::vector<RewardPart>& a, const std::vector<RewardPart>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].score == b[i].score);
    CHECK(a[i].steps == b[i].steps);
    CHECK(a[i].reason == b[i].reason);
    CHECK(a[i].extracted == b[i].extracted);
  }
}

/// Numbers as German writes them, whether or not the machine has that locale.
struct GermanNumbers final : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// Puts a locale in place for a scope.
class LocaleScope {
 public:
  LocaleScope()
      : cpp_(std::locale::global(std::locale(std::locale::classic(), new GermanNumbers))),
        c_(std::setlocale(LC_ALL, nullptr)) {
    for (const char* name : {"de_DE.UTF-8", "de_DE", "de_DE.utf8", "fr_FR.UTF-8", "C.UTF-8"})
      if (std::setlocale(LC_ALL, name) != nullptr) break;
  }
  ~LocaleScope() {
    std::setlocale(LC_ALL, c_.c_str());
    std::locale::global(cpp_);
  }
  LocaleScope(const LocaleScope&) = delete;
  LocaleScope& operator=(const LocaleScope&) = delete;

 private:
  std::locale cpp_;
  std::string c_;
};

}  // namespace

TEST_CASE("rewards: a locale with a decimal comma changes nothing") {
  const auto all = cases();
  const auto before = scores_of(all);
  const LocaleScope german;
  check_same(before, scores_of(all));
}

TEST_CASE("rewards: judging raises no floating-point exception") {
  const auto all = cases();
  std::feclearexcept(FE_ALL_EXCEPT);
  const auto parts = scores_of(all);
  CHECK(std::fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == 0);
  for (const std::string text :
       {"1/0", "\\frac{0}{0}", "0^{-1}", "\\log 0", "\\ln(-1)", "\\sqrt{-1}", "10^{400}",
        "\\infty - \\infty", "\\tan(\\frac{\\pi}{2})", "0!", "(-1)!", "\\binom{-1}{2}",
        "1e308 \\times 1e308", "2^{-2000}"}) {
    INFO(text);
    Judged{.text = text, .row = {{"answer", "\\pi"}}, .bare = true}.by("math");
    Judged{.text = "<answer>" + text + "</answer>", .row = {{"nums", {1}}, {"target", 1}}}.by(
        "countdown");
    CHECK(std::fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == 0);
  }
  CHECK_FALSE(parts.empty());
}

TEST_CASE("math: a pair that is known is judged as one that is new, from any thread") {
  const auto reward = make_reward("math");
  const auto all = cases();
  std::vector<RewardPart> fresh;
  for (const auto& [name, judged] : all)
    if (name == "math") fresh.push_back(judged.by("math"));
  std::vector<std::vector<RewardPart>> shared(4);
  std::vector<std::thread> threads;
  threads.reserve(shared.size());
  for (auto& parts : shared) {
    threads.emplace_back([&parts, &all, &reward] {
      for (int round = 0; round < 3; ++round) {
        parts.clear();
        for (const auto& [name, judged] : all)
          if (name == "math") parts.push_back(judged.by(*reward));
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  for (const auto& parts : shared)
    check_same(fresh, parts);
}

TEST_CASE("math: what is kept of pairs is bounded, and forgetting changes nothing") {
  const auto reward = make_reward("math");
  const auto by = [&](int n) {
    const auto text = std::to_string(n);
    return Judged{.text = text, .row = {{"answer", n % 2 == 0 ? text : text + "1"}}, .bare = true}
        .by(*reward);
  };
  const auto first = by(0);
  for (int n = 0; n < 10000; ++n)
    REQUIRE(by(n).score == (n % 2 == 0 ? 1.0 : 0.0));
  CHECK(by(0).score == first.score);
  CHECK(by(0).steps == first.steps);
}
