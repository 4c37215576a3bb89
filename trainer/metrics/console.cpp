#include "trainer/metrics/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "trainer/core/text.h"

namespace aha {
namespace {

/// A label and the metric that stands behind it.
struct Shown {
  std::string_view label;
  std::string_view key;
  std::string_view form;  ///< fmt's, for one double
  double scale = 1.0;
};

constexpr Shown kGrpo[] = {
    {"reward", "reward", "{:.2f}"},
    {"acc", "accuracy", "{:.2f}"},
    {"len", "completions/mean_length", "{:.1f}"},
    {"wait", "reflection/wait", "{:.1f}"},
    {"kl", "kl", "{:.4f}"},
    {"clip", "completions/clipped_ratio", "{:.0f}%", 100.0},
    {"norm", "grad_norm", "{:.2f}"},
};
constexpr Shown kSft[] = {
    {"loss", "loss", "{:.4f}"},
    {"norm", "grad_norm", "{:.2f}"},
    {"lr", "learning_rate", "{:.1e}"},
};
constexpr Shown kEvaluation[] = {
    {"acc", "eval_accuracy", "{:.3f}"},
    {"greedy", "eval_greedy_accuracy", "{:.3f}"},
    {"len", "eval_completions/mean_length", "{:.1f}"},
    {"wait", "eval_reflection/wait", "{:.2f}"},
    {"gap", "eval_verification_gap", "{:.2f}"},
    {"clip", "eval_completions/clipped_ratio", "{:.1f}%", 100.0},
};

std::optional<double> known(const MetricsRow& row, std::string_view key) {
  const auto value = row.get(key);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

/// "label value". Absent values are "-", except where `skip_absent`.
std::vector<std::string> parts_of(const MetricsRow& row, std::span<const Shown> shown,
                                  bool skip_absent) {
  std::vector<std::string> parts;
  for (const auto& one : shown) {
    if (skip_absent && !row.get(one.key)) continue;
    const auto value = row.get(one.key);
    std::string text = "-";
    if (value && std::isfinite(*value))
      text = fmt::format(fmt::runtime(one.form), *value * one.scale);
    else if (value && one.key == "loss")
      text = fmt::format("{}", *value);  // a loss of nan or inf is worth seeing
    parts.push_back(fmt::format("{} {}", one.label, text));
  }
  return parts;
}

std::string speed(const MetricsRow& row) {
  const auto seconds = known(row, "step_time");
  if (!seconds) return "";
  std::string text = *seconds < 0.1 ? fmt::format("{:.0f} ms/step", *seconds * 1000)
                                    : fmt::format("{:.1f} s/step", *seconds);
  if (const auto tokens = known(row, "perf/tokens_per_s"))
    text += fmt::format(" {} tok/s", short_count(*tokens));
  return text;
}

std::string heading(const MetricsRow& row, std::int64_t total_steps) {
  return total_steps > 0 ? fmt::format("{} {}/{}", row.stage(), row.step(), total_steps)
                         : fmt::format("{} {}", row.stage(), row.step());
}

/// As many parts as fit, the most important first.
std::string fitted(std::string text, const std::vector<std::string>& parts, std::size_t width) {
  for (const auto& part : parts) {
    if (text.size() + 1 + part.size() > width) break;
    text += ' ';
    text += part;
  }
  return text.substr(0, width);
}

}  // namespace

std::string short_count(double value) {
  if (value >= 999950) return fmt::format("{:.1f}M", value / 1e6);
  if (value >= 1000) return fmt::format("{:.1f}k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

void TimeLeft::add(double step_time_s) {
  if (!std::isfinite(step_time_s)) return;
  times_.push_back(step_time_s);
  if (times_.size() > kWindow) times_.pop_front();
}

std::optional<double> TimeLeft::seconds(std::int64_t steps) const {
  if (times_.empty()) return std::nullopt;
  std::vector<double> sorted(times_.begin(), times_.end());
  std::sort(sorted.begin(), sorted.end());
  const double median = (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
  return median * static_cast<double>(std::max<std::int64_t>(steps, 0));
}

ConsoleOptions ConsoleOptions::of_stderr() {
  ConsoleOptions options;
  const char* term = std::getenv("TERM");
  options.terminal =
      ::isatty(STDERR_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.width = size.ws_col;
  return options;
}

void Console::step(const MetricsRow& row, std::int64_t total_steps) {
  enter(row, total_steps);
  if (const auto seconds = known(row, "step_time")) time_left_.add(*seconds);

  const bool grpo = row.get("reward").has_value();
  auto parts = grpo ? parts_of(row, kGrpo, false) : parts_of(row, kSft, true);
  if (const auto text = speed(row); !text.empty()) parts.push_back("| " + text);
  const auto left = time_left_.seconds(total_steps - row.step());
  if (!options_.terminal && left && total_steps > row.step())
    parts.push_back(fmt::format("| {} left", duration_text(*left)));
  const auto width =
      options_.terminal ? static_cast<std::size_t>(std::max(options_.width, 1)) : std::string::npos;
  write(fitted(heading(row, total_steps), parts, width));
}

void Console::enter(const MetricsRow& row, std::int64_t total_steps) {
  if (row.stage() != stage_) time_left_ = {};
  stage_ = row.stage();
  step_ = row.step();
  total_steps_ = total_steps;
}

void Console::evaluation(const MetricsRow& row, std::int64_t total_steps) {
  enter(row, total_steps);
  const auto width =
      options_.terminal ? static_cast<std::size_t>(std::max(options_.width, 1)) : std::string::npos;
  write(fitted(heading(row, total_steps) + " eval", parts_of(row, kEvaluation, true), width));
}

void Console::line(const std::string& text) {
  write(text);
}

void Console::clear() {
  if (bar_shown_) *out_ << "\r\x1b[K" << std::flush;
  bar_shown_ = false;
}

void Console::write(const std::string& text) {
  clear();
  *out_ << text << '\n';
  if (options_.terminal && total_steps_ > 0 && step_ < total_steps_) {
    *out_ << bar();
    bar_shown_ = true;
  }
  *out_ << std::flush;
}

std::string Console::bar() const {
  const double done = static_cast<double>(step_) / static_cast<double>(total_steps_);
  std::string tail = fmt::format("{:3.0f}%", std::floor(100 * done));
  if (const auto left = time_left_.seconds(total_steps_ - step_))
    tail += fmt::format(" {} left", duration_text(*left));
  // One column stays free: a full line would wrap, and a wrapped bar cannot be removed.
  const auto room = options_.width - 1 - static_cast<int>(tail.size()) - 3;
  if (room < 5) return tail.substr(0, static_cast<std::size_t>(std::max(options_.width - 1, 0)));
  const auto cells = static_cast<std::size_t>(std::min(room, 50));
  const auto filled = std::min(cells, static_cast<std::size_t>(done * static_cast<double>(cells)));
  return fmt::format("[{}{}] {}", std::string(filled, '='), std::string(cells - filled, '.'), tail);
}

}  // namespace aha
