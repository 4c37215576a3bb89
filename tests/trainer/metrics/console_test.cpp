#include "trainer/metrics/console.h"

#include <limits>
#include <sstream>

#include "tests/support/catch.h"

using namespace aha;

namespace {

MetricsRow grpo_row(std::int64_t step) {
  MetricsRow row("grpo", step, step + 300);
  row.add(MetricValues{{"reward", 0.52},
                       {"accuracy", 0.5},
                       {"completions/mean_length", 24.1},
                       {"reflection/wait", 0.9},
                       {"completions/clipped_ratio", 0.004},
                       {"grad_norm", 0.31},
                       {"step_time", 1.2},
                       {"perf/tokens_per_s", 15312}});
  return row;
}

}  // namespace

TEST_CASE("Console: a plain line has everything, and no control character", "[metrics]") {
  std::ostringstream out;
  {
    Console console(out, {});
    console.step(grpo_row(37), 100);
    console.line("saved");
  }
  CHECK(out.str() ==
        "grpo 37/100 reward 0.52 acc 0.50 len 24.1 wait 0.9 kl - clip 0% norm 0.31 | 1.2 s/step "
        "15.3k tok/s | 1 min 16 s left\nsaved\n");
}

TEST_CASE("Console: on a terminal the line is cut at its width and a bar stands below",
          "[metrics]") {
  std::ostringstream out;
  {
    Console console(out, {true, 60});
    console.step(grpo_row(37), 100);
    console.line("saved");
  }
  const std::string bar =
      "[" + std::string(13, '=') + std::string(23, '.') + "]  37% 1 min 16 s left";
  const std::string clear = "\r\x1b[K";
  CHECK(bar.size() == 59);
  CHECK(out.str() == "grpo 37/100 reward 0.52 acc 0.50 len 24.1 wait 0.9 kl -\n" + bar + clear +
                         "saved\n" + bar + clear);
}

TEST_CASE("Console: the last step has no bar, and no time left", "[metrics]") {
  std::ostringstream out;
  {
    Console console(out, {true, 200});
    console.step(grpo_row(100), 100);
  }
  CHECK(out.str() ==
        "grpo 100/100 reward 0.52 acc 0.50 len 24.1 wait 0.9 kl - clip 0% norm 0.31 | 1.2 s/step "
        "15.3k tok/s\n");
}

TEST_CASE("Console: no width is too small", "[metrics]") {
  for (int width = 0; width < 40; ++width) {
    std::ostringstream out;
    Console console(out, {true, width});
    console.step(grpo_row(37), 100);
    const auto text = out.str();
    CHECK(text.find('\n') <= static_cast<std::size_t>(std::max(width, 1)));
    CHECK(text.size() - text.find('\n') - 1 <= static_cast<std::size_t>(std::max(width - 1, 0)));
  }
}

TEST_CASE("Console: an SFT row shows loss and rate; a loss of NaN is seen", "[metrics]") {
  std::ostringstream out;
  Console console(out, {});
  MetricsRow row("warm_start", 2, 2);
  row.set("loss", 1.5);
  row.set("learning_rate", 1e-3);
  console.step(row, 2);
  row.set("loss", std::numeric_limits<double>::quiet_NaN());
  console.step(row, 0);
  CHECK(out.str() == "warm_start 2/2 loss 1.5000 lr 1.0e-03\nwarm_start 2 loss nan lr 1.0e-03\n");
}

TEST_CASE("Console: an evaluation's line; step 0 of a stage begins a bar of its own", "[metrics]") {
  MetricsRow row("grpo", 0, 300);
  row.add(MetricValues{{"eval_accuracy", 0.331},
                       {"eval_completions/mean_length", 12.345},
                       {"eval_reflection/wait", 0.05},
                       {"eval_completions/clipped_ratio", 0.0123}});
  std::ostringstream plain;
  Console(plain, {}).evaluation(row, 100);
  CHECK(plain.str() == "grpo 0/100 eval acc 0.331 len 12.3 wait 0.05 clip 1.2%\n");
  std::ostringstream terminal;
  Console console(terminal, {true, 80});
  console.step(grpo_row(100), 100);
  console.evaluation(row, 100);
  CHECK(terminal.str().ends_with("[" + std::string(50, '.') + "]   0% 2 min 0 s left"));
}

TEST_CASE("TimeLeft: one slow step does not move it", "[metrics]") {
  TimeLeft left;
  CHECK_FALSE(left.seconds(10).has_value());
  for (int i = 0; i < 8; ++i)
    left.add(2.0);
  left.add(500.0);
  left.add(std::numeric_limits<double>::quiet_NaN());
  CHECK(left.seconds(10) == 20.0);
  CHECK(left.seconds(-1) == 0.0);
}

TEST_CASE("short_count: three digits and a letter", "[metrics]") {
  CHECK(short_count(87) == "87");
  CHECK(short_count(15312) == "15.3k");
  CHECK(short_count(999960) == "1.0M");
  CHECK(short_count(2.4e6) == "2.4M");
}
