#include "trainer/metrics/read_run.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "trainer/core/error.h"

namespace aha {
namespace fs = std::filesystem;
namespace {

std::optional<std::int64_t> integer(const Json& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

std::string stage_of(const Json& row) {
  const auto found = row.find("stage");
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_evaluation(const Json& row) {
  return row.contains("eval_accuracy") && integer(row, "step") && integer(row, "global_step");
}

/// The rows of two evaluations of `stage`, which may be one.
void read_completions(const fs::path& file, std::int64_t first, std::int64_t last,
                      ReportInputs& inputs) {
  each_json_row(file, inputs.notes, [&](Json&& row) {
    const auto at = integer(row, "global_step");
    if (!at || stage_of(row) != inputs.stage) return;
    if (*at == last && last != first)
      inputs.after.push_back(std::move(row));
    else if (*at == first)
      inputs.before.push_back(std::move(row));
  });
}

void put_places(const fs::path& run, ReportInputs& inputs) {
  std::error_code error;
  const fs::path completions = run / "completions";
  if (fs::exists(completions, error)) inputs.completions = completions.string();
  const fs::path latest = run / "latest";
  if (!fs::exists(latest, error)) {
    inputs.notes.push_back(run.string() + ": no checkpoint was saved yet");
    return;
  }
  inputs.checkpoint = latest.string();
  const auto model = shell_word(latest.string());
  inputs.next_commands = {"build/aha generate --model " + model,
                          fmt::format("build/aha eval --model {} --config {} -n 8 --pass-at-k 1,8",
                                      model, shell_word((run / "config.resolved.yaml").string()))};
}

}  // namespace

void each_json_row(const fs::path& path, std::vector<std::string>& notes,
                   const std::function<void(Json&&)>& use) {
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!file || !fs::is_regular_file(path, error)) {
    notes.push_back(path.string() + ": cannot be read, or is not there");
    return;
  }
  std::size_t number = 0;
  std::size_t bad = 0;
  std::size_t first_bad = 0;
  bool half_written = false;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const bool whole = !file.eof();
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    try {
      Json row = parse_json(line, path.string());
      if (row.is_object()) {
        use(std::move(row));
        continue;
      }
    } catch (const UserError&) {
      half_written = !whole;
      if (half_written) continue;
    }
    if (bad++ == 0) first_bad = number;
  }
  if (bad > 0)
    notes.push_back(fmt::format("{}: {} line{} left out, the first is line {}: not a JSON object",
                                path.string(), bad, bad == 1 ? "" : "s", first_bad));
  if (half_written)
    notes.push_back(path.string() + ": the last line is half written, and left out");
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text)
    word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

ReportInputs read_run(const fs::path& run) {
  std::error_code error;
  if (!fs::is_directory(run, error)) fail("{}: is no folder", run.string());
  const fs::path metrics = run / "metrics.jsonl";
  if (!fs::exists(metrics, error) && !fs::exists(run / "config.resolved.yaml", error))
    fail("{}: is no run's folder: it has neither metrics.jsonl nor config.resolved.yaml",
         run.string());
  ReportInputs inputs;
  each_json_row(metrics, inputs.notes,
                [&](Json&& row) { inputs.metrics.push_back(std::move(row)); });
  if (fs::exists(metrics, error)) inputs.metrics_file = metrics.string();
  put_places(run, inputs);

  const Json* first = nullptr;
  const Json* last = nullptr;
  for (const auto& row : inputs.metrics) {
    if (!is_evaluation(row)) continue;
    if (first == nullptr || stage_of(row) != inputs.stage) first = &row;
    inputs.stage = stage_of(row);
    last = &row;
  }
  if (first == nullptr) return inputs;
  read_completions(run / "completions" / "eval.jsonl", *integer(*first, "global_step"),
                   *integer(*last, "global_step"), inputs);
  return inputs;
}

}  // namespace aha
