#include "trainer/metrics/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "trainer/metrics/interval.h"

namespace aha {
namespace {

constexpr std::size_t kSamples = 3;
constexpr std::size_t kMaxShownBytes = 1200;

std::optional<double> number(const Json* row, std::string_view key) {
  if (row == nullptr) return std::nullopt;
  const auto found = row->find(std::string(key));
  if (found == row->end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::string text_field(const Json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool evaluated(const Json& row) {
  return row.is_object() && row.contains("eval_accuracy") && row.contains("step");
}

/// First and last evaluation of the stage. Null when there is none.
struct Ends {
  const Json* first = nullptr;
  const Json* last = nullptr;
};

Ends ends_of(const ReportInputs& inputs) {
  std::string stage = inputs.stage;
  if (stage.empty())
    for (const auto& row : inputs.metrics)
      if (evaluated(row)) stage = text_field(row, "stage");
  Ends ends;
  for (const auto& row : inputs.metrics) {
    if (!evaluated(row) || text_field(row, "stage") != stage) continue;
    if (ends.first == nullptr) ends.first = &row;
    ends.last = &row;
  }
  return ends;
}

std::string cell(std::optional<double> value, int digits, double scale = 1.0) {
  return value ? fmt::format("{:.{}f}", *value * scale, digits) : "-";
}

std::string accuracy_cell(const Json* row) {
  return accuracy_text(number(row, "eval_accuracy"), number(row, "eval_accuracy_stderr"));
}

std::string percent_cell(const Json* row, std::string_view key) {
  const auto value = number(row, key);
  return value ? cell(value, 1, 100.0) + " %" : "-";
}

std::optional<double> waits(const Json* row) {
  const auto parsed = number(row, "eval_waits");
  return parsed ? parsed : number(row, "eval_reflection/wait");
}

/// "warm_start 300 steps, grpo 120 steps", in the order of the rows.
std::string stages_text(const ReportInputs& inputs) {
  std::vector<std::pair<std::string, double>> stages;
  for (const auto& row : inputs.metrics) {
    if (!row.is_object()) continue;
    const auto step = number(&row, "step");
    const auto name = text_field(row, "stage");
    if (!step || name.empty()) continue;
    if (stages.empty() || stages.back().first != name) stages.emplace_back(name, 0.0);
    stages.back().second = std::max(stages.back().second, *step);
  }
  std::string text;
  for (const auto& [name, step] : stages)
    text += fmt::format("{}{} {:.0f} step{}", text.empty() ? "" : ", ", name, step,
                        step == 1 ? "" : "s");
  return text;
}

std::string step_heading(const Json* row) {
  const auto step = number(row, "step");
  return step ? fmt::format("step {:.0f}", *step) : "-";
}

std::string table(const Ends& ends) {
  if (ends.first == nullptr) return "  no evaluation was recorded\n";
  std::string text;
  const auto put = [&](std::string_view name, const auto& cell_of) {
    text += fmt::format("  {:<24}{:>18}", name, cell_of(ends.first));
    if (ends.last != ends.first) text += fmt::format("{:>18}", cell_of(ends.last));
    text += '\n';
  };
  put("", step_heading);
  put("held-out accuracy", accuracy_cell);
  put("mean length (tokens)",
      [](const Json* row) { return cell(number(row, "eval_completions/mean_length"), 1); });
  put("waits per completion", [](const Json* row) { return cell(waits(row), 2); });
  put("verification gap",
      [](const Json* row) { return cell(number(row, "eval_verification_gap"), 2); });
  put("truncated",
      [](const Json* row) { return percent_cell(row, "eval_completions/clipped_ratio"); });
  if (number(ends.first, "eval_accuracy_stderr"))
    text += "  (+-: 95 % interval, held-out problems as the unit)\n";
  if (ends.last == ends.first) text += "  this is the only evaluation so far\n";
  return text;
}

/// Text that a terminal shows as it is: control characters as escapes, cut at a character's border.
std::string visible(std::string_view text) {
  std::string out;
  const auto shown = text.substr(0, kMaxShownBytes);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char c = shown[i];
    const auto byte = static_cast<unsigned char>(c);
    // U+0080 to U+009F are control characters too: terminals take U+009B for an escape
    if (byte == 0xC2 && i + 1 < shown.size() && static_cast<unsigned char>(shown[i + 1]) < 0xA0)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(shown[++i]));
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7F)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  if (text.size() <= kMaxShownBytes) return out;
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80)
    out.pop_back();
  if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
  return out + " ...";
}

/// `first` before the first line, as many spaces before the others; breaks at spaces where it can.
std::string wrapped(std::string_view first, std::string_view text, std::size_t width) {
  const std::size_t room = std::max<std::size_t>(width, first.size() + 20) - first.size();
  std::string out;
  std::string indent(first);
  do {
    std::size_t take = text.size();
    if (take > room) {
      const auto space = text.rfind(' ', room);
      take = space == std::string_view::npos || space == 0 ? room : space;
      while (take > 1 && (static_cast<unsigned char>(text[take]) & 0xC0) == 0x80)
        --take;
    }
    out += indent;
    out += text.substr(0, take);
    out += '\n';
    text.remove_prefix(take);
    while (!text.empty() && text.front() == ' ')
      text.remove_prefix(1);
    indent.assign(first.size(), ' ');
  } while (!text.empty());
  return out;
}

/// The first sample of each problem, by the problem's row.
std::map<std::int64_t, const Json*> first_samples(std::span<const Json> rows) {
  std::map<std::int64_t, const Json*> samples;
  for (const auto& row : rows) {
    if (!row.is_object() || !row.contains("row") || !row["row"].is_number_integer()) continue;
    samples.emplace(row["row"].get<std::int64_t>(), &row);
  }
  return samples;
}

std::string mark(const Json& row) {
  const auto accuracy = number(&row, "accuracy");
  if (!accuracy) return "unjudged";
  return *accuracy > 0.5 ? "right" : "wrong";
}

std::string samples_text(const ReportInputs& inputs) {
  const auto before = first_samples(inputs.before);
  const auto after = first_samples(inputs.after);
  std::string text;
  std::size_t shown = 0;
  for (const auto& [row, sample] : before) {
    const auto later = after.find(row);
    if (later == after.end() && !inputs.after.empty()) continue;
    text += wrapped("  problem  ", visible(text_field(*sample, "prompt")), inputs.width);
    text += wrapped(fmt::format("    before ({})  ", mark(*sample)),
                    visible(text_field(*sample, "completion")), inputs.width);
    if (later != after.end())
      text += wrapped(fmt::format("    after  ({})  ", mark(*later->second)),
                      visible(text_field(*later->second, "completion")), inputs.width);
    if (++shown == kSamples) break;
  }
  return shown == 0 ? "  none were recorded\n" : text;
}

}  // namespace

std::string run_report(const ReportInputs& inputs) {
  std::string text;
  if (!inputs.plan.empty()) {
    text += "Plan\n";
    for (const auto& line : inputs.plan)
      text += "  " + line + "\n";
    text += '\n';
  }
  if (const auto stages = stages_text(inputs); !stages.empty())
    text += fmt::format("Done\n  {}\n\n", stages);
  text += "What changed, on held-out problems\n" + table(ends_of(inputs)) + '\n';
  text += "The first three held-out problems, first sample of each\n" + samples_text(inputs) + '\n';
  text += "Where it is\n";
  const auto put_path = [&](const char* name, const std::string& path) {
    if (!path.empty()) text += fmt::format("  {:<12} {}\n", name, path);
  };
  put_path("checkpoint", inputs.checkpoint);
  put_path("metrics", inputs.metrics_file);
  put_path("completions", inputs.completions);
  if (!inputs.next_commands.empty()) {
    text += "\nWhat to try next\n";
    for (const auto& command : inputs.next_commands)
      text += "  " + command + "\n";
  }
  if (!inputs.notes.empty()) {
    text += "\nNotes\n";
    for (const auto& note : inputs.notes)
      text += "  " + note + "\n";
  }
  return text;
}

}  // namespace aha
